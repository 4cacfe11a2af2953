import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const launcher = join(root, 'bin/farebox.mjs');

export interface ServerChild {
  pid: number;
  url: string;
  /** What it printed so far, both streams. */
  output(): string;
  /** kill -9; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM without waiting for the end. */
  terminate(): void;
  /** Resolves with the exit code when it ends by itself. */
  ended(): Promise<number | null>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

interface Ended {
  code: number | null;
  output: string;
}

/**
 * Runs one command to its end, as this user unless told. Nothing of this process's environment reaches it but the path to
 * Node.
 */
export async function runFarebox(
  args: readonly string[],
  environment: Record<string, string>,
  uid?: number,
): Promise<Ended> {
  const { child, output } = start(process.execPath, { args: [launcher, ...args], environment, uid });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: output() };
}

/** Starts a server in a process of its own and waits until it says that it is ready. */
export function startServerChild(environment: Record<string, string>): Promise<ServerChild> {
  return untilReady(start(process.execPath, { args: [launcher, 'serve'], environment }));
}

/** A server by a launcher that takes its own Node for too old where it is called "old". */
export function startLauncher(path: string, environment: Record<string, string>): Promise<ServerChild> {
  return untilReady(start(process.execPath, { args: [path, 'serve'], environment, argv0: 'old' }));
}

/** A server with the toy kinds of the tests beside the real ones. */
export function startToyServerChild(environment: Record<string, string>): Promise<ServerChild> {
  return untilReady(start(process.execPath, { args: [join(import.meta.dirname, 'toy-server-child.ts')], environment }));
}

/** The same by `npm start`; the process that is signalled is npm's. */
export function startByNpm(environment: Record<string, string>): Promise<ServerChild> {
  return untilReady(start('npm', { args: ['start'], environment }));
}

interface Started {
  child: ChildProcess;
  output(): string;
}

interface StartOptions {
  args: readonly string[];
  environment: Record<string, string>;
  /** What the process is called; its program unless told. */
  argv0?: string;
  uid?: number | undefined;
}

function start(command: string, { args, environment, argv0 = command, uid }: StartOptions): Started {
  const inherited = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/' };
  const child = spawn(command, args, {
    cwd: root,
    argv0,
    ...(uid === undefined ? {} : { uid, gid: uid }),
    env: { ...inherited, LOG_LEVEL: 'info', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => {
      text = (text + part).slice(-200_000);
      child.emit('said');
    });
  }
  return { child, output: () => text };
}

async function untilReady({ child, output }: Started): Promise<ServerChild> {
  const ended = once(child, 'exit');
  for (;;) {
    const url = /is ready at (\S+)/.exec(output())?.[1];
    if (url !== undefined) {
      return toServer({ child, output }, { url, ended });
    }
    const next = await Promise.race([once(child, 'said').then(() => 'said'), ended.then(() => 'ended')]);
    if (next === 'ended') {
      throw new Error(`The server ended with code ${child.exitCode} before it was ready:\n${output()}`);
    }
  }
}

function toServer({ child, output }: Started, { url, ended }: { url: string; ended: Promise<unknown> }): ServerChild {
  return {
    pid: child.pid ?? 0,
    url,
    output,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    ended: async () => {
      await ended;
      return child.exitCode;
    },
    terminate: () => void child.kill('SIGTERM'),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      return child.exitCode;
    },
  };
}
