/** Where a start will work: data folder, ports, database. Looked at before anything is made; `npm run doctor` asks the same. */
import { join, resolve } from 'node:path';
import {
  checkFolder,
  checkPort,
  checkPostgresPort,
  checkServer,
  type Check,
  type Finding,
  type NeededPort,
} from '#cli/index.ts';
import { assertUnlocked, checkDatabase, findLeftoverPort, type choosePorts } from '#database/index.ts';
import type { Config } from './config.ts';

export type Ports = Awaited<ReturnType<typeof choosePorts>>;

/** What is started beside the server, because the configuration names none. */
export function toWants(config: Config) {
  const isSandbox = config.MODE === 'sandbox';
  return {
    database: config.DATABASE_URL === undefined,
    chain: isSandbox && config.NETWORKS.some((network) => !config.rpcUrls.has(network)),
    openRouter: isSandbox && config.OPENROUTER_BASE_URL === undefined,
  };
}

/** In the order in which a start would stumble over them. */
export function listPlaceChecks(config: Config, ports: Ports): Check[] {
  const folder = resolve(config.DATA_DIR);
  const wants = toWants(config);
  const local = (port: number, purpose: string): NeededPort => ({ host: '127.0.0.1', port, purpose });
  const http = { host: config.HOST, port: ports.http, purpose: 'the HTTP server' };
  const chain = local(ports.chain, 'the local chain');
  const database = local(ports.database, 'the embedded PostgreSQL');
  const listed: [name: string, isWanted: boolean, run: () => Promise<Finding>][] = [
    ['data folder', true, () => checkDataFolder(folder, wants.database || wants.chain)],
    [`port ${http.port}`, true, () => checkHttpPort(http)],
    [`port ${chain.port} (chain)`, wants.chain, () => checkChainPort(chain, folder)],
    [
      `port ${ports.openRouter} (OpenRouter)`,
      wants.openRouter,
      () => checkPort(local(ports.openRouter, 'the simulated OpenRouter')),
    ],
    [`port ${database.port} (PostgreSQL)`, wants.database, () => checkDatabasePort(database, folder)],
    ['database', !wants.database, () => checkReach(config.DATABASE_URL ?? '')],
  ];
  return listed.filter(([, isWanted]) => isWanted).map(([name, , run]) => ({ name, run }));
}

/** Throws what is wrong with the places, all of it at once, each with its remedy. Makes nothing. */
export function assertPlaces(config: Config, ports: Ports): Promise<void> {
  return assertGood(listPlaceChecks(config, ports));
}

/** The same for a command that works on the database alone. */
export function assertDatabasePlace(config: Config, ports: Ports): Promise<void> {
  const isNeeded = ({ name }: Check): boolean => /folder|PostgreSQL|database/.test(name);
  return assertGood(listPlaceChecks(config, ports).filter(isNeeded));
}

async function assertGood(checks: readonly Check[]): Promise<void> {
  const faults: string[] = [];
  for (const { run } of checks) {
    const { state, detail, mend } = await run().catch((error: Error): Finding => ({
      state: 'bad',
      detail: error.message,
    }));
    if (state === 'bad') {
      faults.push(mend === undefined ? detail : `${detail}. ${mend}`);
    }
  }
  if (faults.length > 0) {
    throw new Error(faults.join('\n'));
  }
}

async function checkDataFolder(folder: string, isLocked: boolean): Promise<Finding> {
  if (isLocked) {
    await assertUnlocked(folder);
  }
  return checkFolder(folder);
}

async function checkHttpPort(needed: NeededPort): Promise<Finding> {
  const found = await checkPort(needed);
  const server = found.state === 'bad' ? await checkServer(toOrigin(needed)) : null;
  return server === null ? found : { ...found, detail: `${found.detail}: ${server.detail}` };
}

/** Where a server of this machine can be asked that listens on this address. */
export function toOrigin({ host, port }: Pick<NeededPort, 'host' | 'port'>): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** After a kill -9 an anvil of this very folder may still be saving its state: that one goes by itself. */
async function checkChainPort(needed: NeededPort, folder: string): Promise<Finding> {
  const found = await checkPort(needed);
  if (found.state === 'good') {
    return found;
  }
  const { untilLeftoverIsGone } = await import('#sandbox/index.ts');
  await untilLeftoverIsGone(join(folder, 'chain'));
  return checkPort(needed);
}

/**
 * A PostgreSQL that a killed server left behind in this very folder is stopped by the start. PostgreSQL never runs as
 * root, so that what Node may listen on tells nothing about the ports of the system.
 */
async function checkDatabasePort(needed: NeededPort, folder: string): Promise<Finding> {
  const found = await checkPostgresPort(needed);
  const leftover = found.state === 'good' ? null : await findLeftoverPort(join(folder, 'postgres'));
  return leftover === needed.port
    ? { state: 'good', detail: `${needed.host}:${needed.port} is held by the PostgreSQL of this data folder` }
    : found;
}

/** Does the PostgreSQL of DATABASE_URL let us in? */
export async function checkReach(url: string): Promise<Finding> {
  try {
    const { version } = await checkDatabase(url);
    return { state: 'good', detail: `PostgreSQL ${version} answers` };
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    return {
      state: 'bad',
      detail: `DATABASE_URL: the PostgreSQL that it names cannot be used: ${message || (code ?? 'no reason given')}`,
      mend: 'Check that PostgreSQL runs, and host, port, user, password and database in DATABASE_URL.',
    };
  }
}
