/** The command line, and the start of the server in three stages: infrastructure, domain, serving. Only files at the top of src/ wire. */
import { createRequire } from 'node:module';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { pino, type Logger } from 'pino';
import { describeStart, explainFailure, makeFolder, runCommand, toLogText, type CommandPorts } from '#cli/index.ts';
import {
  choosePorts,
  findRunningPostgres,
  keepSecret,
  lockFolder,
  migrate,
  openDatabase,
  startDatabase,
  type Database,
} from '#database/index.ts';
import type { Gateway } from '#gateway/index.ts';
import { systemClock } from '#kit/index.ts';
import { openModels, syncModels } from '#models/index.ts';
import type { Sandbox } from '#sandbox/index.ts';
import { openOpenRouter, type OpenRouterClient } from '#upstreams/index.ts';
import { masterKeyFromText, rotateMasterKey as rotate } from '#vault/index.ts';
import { assertDatabasePlace, toOrigin } from './check-places.ts';
import { listChecks } from './checks.ts';
import { ConfigError, documentSettings, readConfig, settingNames, toOpenRouterUrl, type Config } from './config.ts';
import { listKinds } from './plugins.ts';
import { startDomain } from './start-domain.ts';
import { startInfrastructure } from './start-infrastructure.ts';
import type { Notices } from './start-notices.ts';
import { startServing } from './start-serving.ts';

const root = resolve(import.meta.dirname, '..');
const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

export interface Farebox {
  publicUrl: string;
  /** On which it listens. */
  port: number;
  databaseUrl: string;
  database: Database;
  gateway: Gateway;
  notices: Notices;
  sandbox: Sandbox | null;
  /** Finishes paid calls, then stops everything that was started, children included. */
  close(): Promise<void>;
}

export interface StartOptions {
  log?: Logger;
  /** Of the simulated OpenRouter; like a real model unless told. */
  latency?: { firstTokenMs: number; tokensPerSecond: number };
  /** Called when somebody has deleted the data folder under the running server, which cannot go on. */
  onFolderGone?: () => void;
  /** The kinds of resource; those of plugins.ts unless told. */
  listKinds?: typeof listKinds;
}

/** A signal this long after the first one ends a stop that takes too long. */
const FORCE_AFTER_MS = 3_000;

/** Without its data folder a server has nothing to finish; PostgreSQL has noticed by then. */
const GIVE_UP_AFTER_MS = 25_000;

/** A command that has come to its end is gone after this long. */
const END_WITHIN_MS = 1_000;

const likeAModel = { firstTokenMs: 250, tokensPerSecond: 80 };

/** Starts all of Farebox. What was started before a failure is stopped again. */
export async function startFarebox(config: Config, options: StartOptions = {}): Promise<Farebox> {
  const log = options.log ?? openLog(config);
  const stack = new AsyncDisposableStack();
  try {
    const { latency = likeAModel, onFolderGone = () => {} } = options;
    const infrastructure = await startInfrastructure({ config, log, latency, onFolderGone }, stack);
    const domain = await startDomain(infrastructure, options.listKinds ?? listKinds, stack);
    await startServing(infrastructure, domain, stack);
    const { publicUrl, databaseUrl, database, sandbox } = infrastructure;
    const port = infrastructure.ports.http;
    return {
      publicUrl,
      port,
      databaseUrl,
      database,
      sandbox,
      gateway: domain.gateway,
      notices: domain.notices,
      close: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Entry of `bin/farebox.mjs`. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    endWith(await runCommand(args, openPorts()));
  } catch (error) {
    console.error(explainFailure(error));
    endWith(error instanceof ConfigError ? 78 : 1);
  }
}

/**
 * Everything is closed by now, so Node ends by itself. `process.exit` at once could hang: it joins threads that compile,
 * and those may be waiting for a garbage collection of this thread. It is for what was left open after all.
 */
function endWith(code: number): void {
  process.exitCode = code;
  setTimeout(() => process.exit(), END_WITHIN_MS).unref();
}

/** JSON lines for programs, text for a person at a terminal. */
function openLog(config: Config): Logger {
  const options = { level: config.LOG_LEVEL, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  const terminal = { write: (line: string): void => void process.stdout.write(toLogText(line)) };
  return process.stdout.isTTY ? pino(options, terminal) : pino(options);
}

function openPorts(): CommandPorts {
  return {
    version,
    settings: settingNames,
    serve,
    migrate: async () => {
      const config = readConfig();
      return withDatabase(config, async (_database, applied) => applied);
    },
    listChecks: () => listChecks(readConfig()),
    demo: async (screen) => {
      // Imported here only: a server does not need the buyer's libraries in memory.
      const { demo } = await import('./cli/demo.ts');
      const config = readConfig();
      assertPort(config, 'demo');
      await demo({ serverUrl: toOrigin({ host: config.HOST, port: config.PORT }), screen });
    },
    syncModels: async () => {
      const config = readConfig();
      await expectCatalogue(config);
      return withDatabase(config, async (database) => {
        const models = openModels({
          database,
          fetchCatalogue: () => withOpenRouter(config, (openRouter) => openRouter.listModels()),
          clock: systemClock,
          log: openLog(config),
        });
        return JSON.stringify(await syncModels(models, { trigger: 'cli' }), null, 2);
      });
    },
    rotateMasterKey,
    writeDocs: async () => {
      await writeFile(resolve(root, 'docs/configuration.md'), documentSettings());
      return 'Wrote docs/configuration.md.';
    },
  };
}

async function serve(): Promise<void> {
  const stopped = new Promise<void>((resolveStop) => {
    // npm and the terminal both forward a signal: the second one must not end the stop early; one that comes later may.
    let askedAt = 0;
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        askedAt ||= Date.now();
        if (Date.now() - askedAt > FORCE_AFTER_MS) {
          console.error('Stopped at once. What was under way is finished or released after the next start.');
          process.exit(1);
        }
        resolveStop();
      });
    }
  });
  const startedAt = performance.now();
  const config = readConfig();
  const log = openLog(config);
  const folderGone = Promise.withResolvers<never>();
  const onFolderGone = (): void => {
    // What follows would only repeat it: everything that the server reaches for is gone.
    log.level = 'silent';
    const folder = resolve(config.DATA_DIR);
    folderGone.reject(new Error(`The data folder ${folder} was deleted while Farebox ran on it, so it has stopped.`));
  };
  folderGone.promise.catch(() => {});
  const farebox = await startFarebox(config, { log, onFolderGone });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const { publicUrl, port } = farebox;
  const isSandbox = config.MODE === 'sandbox';
  console.log(describeStart({ version, isSandbox, publicUrl, place: toPlace(config, port), seconds }));
  preferSpeed();
  await Promise.race([stopped, folderGone.promise]).catch(async (error: unknown) => {
    await Promise.race([farebox.close().catch(() => {}), wait(GIVE_UP_AFTER_MS, null, { ref: false })]);
    throw error;
  });
  console.log('Stopping: calls under way are finished first.');
  await farebox.close();
}

/** Takes back what `bin/farebox.mjs` set for the time of loading. */
function preferSpeed(): void {
  setFlagsFromString('--no-optimize-for-size');
  setFlagsFromString('--semi-space-growth-factor=2');
}

/** What to put in front of a command so that it finds the server: what the server was told, and the port that it has. */
function toPlace({ HOST }: Config, port: number): string {
  const isDefaultHost = toOrigin({ host: HOST, port }) === toOrigin({ host: '127.0.0.1', port });
  return `${isDefaultHost ? '' : `HOST=${HOST} `}${port === 4020 ? '' : `PORT=${port} `}`;
}

/** Which ports a server took that was started with PORT=0 cannot be known to a command beside it. */
function assertPort({ PORT }: Config, command: string): void {
  if (PORT === 0) {
    throw new ConfigError([
      `PORT: 0 lets a server choose its port; this command needs the port of the running server: PORT=… npm run ${command}. The server has printed it.`,
    ]);
  }
}

/**
 * The database of the configuration, of a server that runs on the data folder, or else started for this one command.
 * It is brought up to date first; `run` is told by which migrations.
 */
async function withDatabase<T>(config: Config, run: (database: Database, applied: string[]) => Promise<T>): Promise<T> {
  const folder = resolve(config.DATA_DIR, 'postgres');
  const running = config.DATABASE_URL ?? (await findRunningPostgres(folder, 'farebox'));
  await using stack = new AsyncDisposableStack();
  const ports = await choosePorts(config.PORT);
  if (running === null || config.DATABASE_URL !== undefined) {
    await assertDatabasePlace(config, ports);
  }
  if (running === null) {
    await makeFolder(resolve(config.DATA_DIR));
    stack.defer(await lockFolder(resolve(config.DATA_DIR)));
  }
  const started = running === null ? await startDatabase({ folder, port: ports.database }) : null;
  stack.defer(async () => {
    await started?.server.stop();
  });
  const url = running ?? started?.url ?? '';
  const applied = await migrate(url, resolve(root, 'migrations'));
  const database = openDatabase({ url });
  stack.defer(() => database.close());
  // Awaited here: what was started for the command must outlive it.
  return await run(database, applied);
}

/** The simulated OpenRouter runs only while its server does. Said before a database is started for nothing. */
async function expectCatalogue(config: Config): Promise<void> {
  const isSimulated = config.MODE === 'sandbox' && config.OPENROUTER_BASE_URL === undefined;
  if (isSimulated) {
    assertPort(config, 'sync-models');
  }
  if (isSimulated && !(await withOpenRouter(config, (openRouter) => openRouter.isUp()))) {
    throw new Error(
      `The simulated OpenRouter does not answer at ${findOpenRouterUrl(config)}. It runs with the server: start the server first (npm start) and give PORT as the server has it, or set OPENROUTER_BASE_URL to another OpenRouter.`,
    );
  }
}

/** For a command beside the server: the simulator of a running server has the port that follows from the server's. */
function findOpenRouterUrl(config: Config): string {
  return toOpenRouterUrl(config, config.MODE === 'sandbox' ? `http://127.0.0.1:${config.PORT + 2}/api/v1` : undefined);
}

async function withOpenRouter<T>(config: Config, run: (openRouter: OpenRouterClient) => Promise<T>): Promise<T> {
  const openRouter = openOpenRouter({
    baseUrl: findOpenRouterUrl(config),
    publicUrl: config.PUBLIC_URL ?? '',
    title: 'Farebox',
    log: openLog(config),
  });
  try {
    return await run(openRouter);
  } finally {
    await openRouter.close();
  }
}

async function rotateMasterKey(): Promise<string> {
  const config = readConfig();
  if (!config.NEW_MASTER_KEY) {
    throw new ConfigError([
      'NEW_MASTER_KEY: set it to the key to change to, in every running process too. Make it with: openssl rand -hex 32',
    ]);
  }
  await makeFolder(resolve(config.DATA_DIR));
  const from = masterKeyFromText(config.MASTER_KEY ?? (await keepSecret(resolve(config.DATA_DIR), 'master-key')));
  const to = masterKeyFromText(config.NEW_MASTER_KEY);
  const result = await withDatabase(config, (database) => rotate({ database, clock: systemClock }, { from, to }));
  return `${result.rewrapped} keys are now under the new master key, ${result.remaining} are left. Make NEW_MASTER_KEY the MASTER_KEY of every process.`;
}
