import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { newId, sha256Hex } from '#kit/index.ts';
import type { MediaStore } from './media-store.ts';

const INCOMING = 'incoming';

/** Files under `folder`, spread over 65,536 sub-folders by the hash of their id. Processes that share it share media. */
export function openFileStore(folder: string): MediaStore {
  const incoming = join(folder, INCOMING);
  return {
    write: async (id, bytes) => {
      const path = toPath(folder, id);
      await Promise.all([mkdir(incoming, { recursive: true }), mkdir(dirname(path), { recursive: true })]);
      const draft = join(incoming, newId());
      try {
        await writeDurably(draft, bytes);
        await rename(draft, path);
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
    },
    read: (id) => orNull(readFile(toPath(folder, id))),
    remove: (id) => rm(toPath(folder, id), { force: true }),
    sweep: (beforeMs) => sweep(incoming, beforeMs),
  };
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function sweep(incoming: string, beforeMs: number): Promise<void> {
  for (const name of (await orNull(readdir(incoming))) ?? []) {
    const path = join(incoming, name);
    const found = await orNull(stat(path));
    if (found && found.mtimeMs < beforeMs) {
      await rm(path, { force: true });
    }
  }
}

/** The hash also keeps an id that is no id from naming a path. */
function toPath(folder: string, id: string): string {
  const hash = sha256Hex(id);
  return join(folder, hash.slice(0, 2), hash.slice(2, 4), hash);
}

async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return null;
    }
    throw error;
  }
}
