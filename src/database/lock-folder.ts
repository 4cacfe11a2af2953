import { once } from 'node:events';
import { mkdir, readFile, realpath, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { sha256Hex } from '#kit/index.ts';

/** The path of a socket may have 107 bytes at the most. */
const LONGEST_PATH = 100;
/** Taking the lock is a matter of milliseconds; a process that died meanwhile leaves its mark no longer than this. */
const TAKING_MS = 5_000;
const LOOKING_EVERY_MS = 1_000;

/**
 * Makes this process the only one that works in `folder`. A listening socket is the lock: the system drops it with the
 * process, however it ends. Throws with the holder's process id when the folder is taken.
 * @returns a function that releases the folder.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  const path = await toSocketPath(folder);
  const holder = toHolder(folder);
  const taking = join(folder, 'farebox.taking');
  await beginTaking(taking);
  try {
    await assertUnlocked(folder);
    await rm(path, { force: true });
    const server = createServer((socket) => socket.destroy());
    server.listen(path).unref();
    await once(server, 'listening');
    await writeFile(holder, String(process.pid));
    return async () => {
      await new Promise((resolve) => server.close(resolve));
      await rm(holder, { force: true });
    };
  } finally {
    await rmdir(taking).catch(() => {});
  }
}

/** Throws where another process works in the folder, with its id. Makes nothing, not even the folder. */
export async function assertUnlocked(folder: string): Promise<void> {
  const path = await toSocketPath(folder).catch(() => null);
  if (path !== null && (await isAlive(path))) {
    const pid = (await readFile(toHolder(folder), 'utf8').catch(() => 'unknown')).trim();
    throw new Error(
      `Another Farebox (process ${pid}) is running on the data folder ${folder}. Stop it first, or give this one its own: DATA_DIR=./data2 PORT=4030 npm start`,
    );
  }
}

/**
 * Calls back once when somebody has deleted a folder that this process has locked, or what is in it.
 * @returns a function that ends the watch.
 */
export function watchFolder(folder: string, onGone: () => void): () => void {
  const timer = setInterval(() => {
    stat(toHolder(folder)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') {
        clearInterval(timer);
        onGone();
      }
    });
  }, LOOKING_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function toHolder(folder: string): string {
  return join(folder, 'farebox.pid');
}

/** Looking and taking are two steps: only one process at a time makes them. */
async function beginTaking(taking: string): Promise<void> {
  for (;;) {
    try {
      await mkdir(taking);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw error;
      }
      const found = await stat(taking).catch(() => null);
      if (found && Date.now() - found.mtimeMs > TAKING_MS) {
        await rmdir(taking).catch(() => {});
      }
      await wait(50);
    }
  }
}

async function toSocketPath(folder: string): Promise<string> {
  const path = join(await realpath(folder), 'farebox.lock');
  const fromHere = relative(process.cwd(), path);
  const shorter = fromHere.length < path.length ? fromHere : path;
  return Buffer.byteLength(shorter) <= LONGEST_PATH
    ? shorter
    : join(tmpdir(), `farebox-${sha256Hex(path).slice(0, 16)}.lock`);
}

async function isAlive(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
