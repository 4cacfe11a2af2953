import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { askQuantity, CHAIN_ID, type ChainRpc } from './chain-rpc.ts';
import { findAnvil } from './find-anvil.ts';
import { chooseState, statePaths } from './keep-state.ts';
import type { Log } from '#kit/index.ts';

interface SpawnOptions {
  folder: string;
  port: number;
  blockTimeSeconds?: number | undefined;
  rpc: ChainRpc;
  log: Log;
}

export interface Anvil {
  pid: number;
  stop(): Promise<void>;
}

const run = promisify(execFile);
const READY_WITHIN_MS = 20_000;
const LEFTOVER_GONE_WITHIN_MS = 10_000;
const HISTORY_STATES = 16;

/** Starts anvil under the watchdog and waits until it answers. It keeps its state in the folder and dies with this process. */
export async function spawnAnvil(options: SpawnOptions): Promise<Anvil> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  await untilLeftoverIsGone(options.folder);
  await assertPortIsFree(options);
  const binary = await findAnvil();
  const flags = anvilFlags(options, await chooseState(options.folder));
  // Its own process group: Ctrl-C in a terminal must not end the chain before the server has finished its calls.
  const watchdog = spawn('sh', [join(import.meta.dirname, 'watchdog.sh'), options.folder, binary, ...flags], {
    cwd: options.folder,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: options.folder },
  });
  // A watchdog that is gone already closes the pipe; its exit is what counts.
  watchdog.stdin.on('error', () => {});
  const stop = watch(watchdog);
  try {
    await untilReady(watchdog, options);
    const pid = await readPid(options.folder);
    reportDeath(watchdog, { pid, log: options.log });
    return { pid, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function anvilFlags(options: SpawnOptions, state: string | null): string[] {
  const automineOrInterval = options.blockTimeSeconds ? ['--block-time', String(options.blockTimeSeconds)] : [];
  return [
    '--host',
    '127.0.0.1',
    '--port',
    String(options.port),
    '--chain-id',
    String(CHAIN_ID),
    '--quiet',
    // Keeps the states of few past blocks in memory and none on disk; blocks, receipts and logs are all kept.
    '--prune-history',
    String(HISTORY_STATES),
    ...automineOrInterval,
    ...(state ? ['--load-state', state] : []),
    '--dump-state',
    statePaths(options.folder).dumped,
  ];
}

async function untilReady(watchdog: ChildProcess, { rpc, folder, port }: SpawnOptions): Promise<void> {
  const ended = once(watchdog, 'exit').then(async (): Promise<never> => {
    const text = (await readFile(join(folder, 'anvil.log'), 'utf8').catch(() => '')).trim().slice(-1000);
    throw new Error(
      `The local chain (anvil) stopped while starting on port ${port}: ${text || 'it said nothing'}. If its saved state cannot be read, delete ${folder} together with the database to begin anew.`,
    );
  });
  const deadline = performance.now() + READY_WITHIN_MS;
  const ready = async (): Promise<void> => {
    while (performance.now() < deadline) {
      if (watchdog.exitCode !== null) {
        return ended;
      }
      if (await askQuantity(rpc, 'eth_chainId').catch(() => 0n)) {
        return;
      }
      await wait(20);
    }
    throw new Error(`The local chain (anvil) did not answer within ${READY_WITHIN_MS / 1000} s on port ${port}.`);
  };
  await Promise.race([ended, ready()]);
}

function watch(watchdog: ChildProcess): () => Promise<void> {
  const gone = new Promise<void>((resolve) => watchdog.once('exit', () => resolve()));
  return async () => {
    if (watchdog.exitCode === null && watchdog.signalCode === null) {
      watchdog.stdin?.end();
      await gone;
    }
  };
}

function reportDeath(watchdog: ChildProcess, { pid, log }: { pid: number; log: Log }): void {
  watchdog.once('exit', (exitCode) => {
    if (!watchdog.stdin?.writableEnded) {
      log.error({ exitCode }, 'the local chain (anvil) ended by itself; restart Farebox');
      // When somebody killed the watchdog, anvil must not stay behind alone.
      void isAnvil(pid).then((isAlive) => isAlive && process.kill(pid, 'SIGTERM'));
    }
  });
}

async function assertPortIsFree({ port, rpc }: SpawnOptions): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  const isTaken = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  if (isTaken) {
    const chainId = await askQuantity(rpc, 'eth_chainId').catch(() => null);
    const holder = chainId === null ? 'another program' : `another chain (id ${chainId}), perhaps one left over`;
    throw new Error(
      `Port ${port} of 127.0.0.1, wanted for the local chain, is taken by ${holder}. Stop it, or choose another PORT.`,
    );
  }
}

/** After kill -9 of its parent an anvil is still writing its state for a moment: that state is the one to load. */
export async function untilLeftoverIsGone(folder: string): Promise<void> {
  const deadline = performance.now() + LEFTOVER_GONE_WITHIN_MS;
  for (let pid = await readPid(folder); await isAnvil(pid); await wait(50)) {
    if (performance.now() > deadline) {
      throw new Error(`Another anvil (process ${pid}) still uses ${folder}. Stop it first.`);
    }
  }
}

/** 0 when none is noted. */
async function readPid(folder: string): Promise<number> {
  return Number(await readFile(join(folder, 'anvil.pid'), 'utf8').catch(() => '0'));
}

async function isAnvil(pid: number): Promise<boolean> {
  const command = pid <= 1 ? null : await run('ps', ['-o', 'comm=', '-p', String(pid)]).catch(() => null);
  return command?.stdout.includes('anvil') ?? false;
}
