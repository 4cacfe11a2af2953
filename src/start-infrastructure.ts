/** First stage of the start: data folder, database, sandbox, vault. */
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { makeFolder } from '#cli/index.ts';
import * as databases from '#database/index.ts';
import { systemClock as clock } from '#kit/index.ts';
import { measureMedia } from '#media/index.ts';
import type { Sandbox } from '#sandbox/index.ts';
import { masterKeyFromText, openVault, type MasterKey } from '#vault/index.ts';
import { assertPlaces, toWants } from './check-places.ts';
import type { Config } from './config.ts';

const migrations = resolve(import.meta.dirname, '../migrations');

interface Given {
  config: Config;
  log: Logger;
  latency?: { firstTokenMs: number; tokensPerSecond: number } | undefined;
  /** Called when somebody has deleted the data folder under the running server. */
  onFolderGone(): void;
}

export type Infrastructure = Awaited<ReturnType<typeof startInfrastructure>>;

/** What every module of the domain needs. `stack` stops what is started here. */
export async function startInfrastructure({ config, log, latency, onFolderGone }: Given, stack: AsyncDisposableStack) {
  const ports = await databases.choosePorts(config.PORT);
  const publicUrl = config.PUBLIC_URL ?? `http://localhost:${ports.http}`;
  const folder = resolve(config.DATA_DIR);
  const wants = toWants(config);
  await assertPlaces(config, ports);
  await makeFolder(folder);
  if (wants.database || wants.chain) {
    stack.defer(await databases.lockFolder(folder));
    stack.defer(databases.watchFolder(folder, onFolderGone));
  }
  const databaseUrl = config.DATABASE_URL ?? (await startDatabase({ folder, port: ports.database, log }, stack));
  await databases.migrate(databaseUrl, migrations);
  const onError = (err: Error): void => log.error({ err }, 'a database connection broke');
  const database = databases.openDatabase({ url: databaseUrl, onError });
  stack.defer(() => database.close());
  const sandbox =
    config.MODE === 'sandbox' ? await startSandbox({ folder, publicUrl, ports, wants, log, latency }, stack) : null;
  const masterKey = masterKeyFromText(config.MASTER_KEY ?? (await databases.keepSecret(folder, 'master-key')));
  const vault = await openVault({ database, masterKey, otherMasterKeys: toOtherKeys(config), clock });
  return {
    config,
    log,
    ports,
    publicUrl,
    ownOrigins: toOwnOrigins(config, publicUrl),
    folder,
    databaseUrl,
    database,
    sandbox,
    vault,
  };
}

/** The origins whose pages may use a session. In the sandbox the names of this machine are one site: people type either. */
function toOwnOrigins(config: Config, publicUrl: string): string[] {
  const { origin, hostname, protocol, port } = new URL(publicUrl);
  const names = ['localhost', '127.0.0.1', '[::1]'];
  const others = config.MODE === 'sandbox' && names.includes(hostname) ? names : [];
  const suffix = port === '' ? '' : `:${port}`;
  return [...new Set([origin, ...others.map((name) => `${protocol}//${name}${suffix}`)])];
}

async function startDatabase(
  place: { folder: string; port: number; log: Logger },
  stack: AsyncDisposableStack,
): Promise<string> {
  const onLog = (line: string): void => place.log.debug({ line }, 'postgres');
  const { url, server } = await databases.startDatabase({
    folder: join(place.folder, 'postgres'),
    port: place.port,
    onLog,
  });
  stack.defer(() => server.stop());
  return url;
}

interface SandboxPlace {
  folder: string;
  publicUrl: string;
  ports: { chain: number; openRouter: number };
  wants: { chain: boolean; openRouter: boolean };
  log: Logger;
  latency: Given['latency'];
}

async function startSandbox(place: SandboxPlace, stack: AsyncDisposableStack): Promise<Sandbox> {
  const { openSandbox } = await import('#sandbox/index.ts');
  const sandbox = await openSandbox({
    publicUrl: place.publicUrl,
    wants: place.wants,
    log: place.log,
    measure: measureMedia,
    ...(place.latency ? { latency: place.latency } : {}),
    folder: join(place.folder, 'chain'),
    chainPort: place.ports.chain,
    openRouterPort: place.ports.openRouter,
  });
  stack.defer(() => sandbox.stop());
  return sandbox;
}

/** While the master key is being changed, what is sealed under the next one can be opened too. */
function toOtherKeys(config: Config): MasterKey[] {
  return config.NEW_MASTER_KEY ? [masterKeyFromText(config.NEW_MASTER_KEY)] : [];
}
