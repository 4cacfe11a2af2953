import { copyFile, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { LocalFile, MediaStore } from './media-store.ts';

const PAGE = 1_000;
const SUB_FOLDER = /^[0-9a-f]{2}$/;

/** Files under `folder`, spread over 65,536 sub-folders by the first digits of their key. Processes that share it share media. */
export function openFolderStore(folder: string): MediaStore {
  return {
    write: async (key, file) => {
      const path = toPath(folder, key);
      await mkdir(dirname(path), { recursive: true });
      await place(file, path);
      // The name of a file outlives a power cut only once its folder is written.
      await sync(dirname(path));
    },
    sizeOf: async (key) => (await orNull(stat(toPath(folder, key))))?.size ?? null,
    read: async (key, range) => {
      const file = await orNull(open(toPath(folder, key), 'r'));
      if (!file) {
        return null;
      }
      const { size: totalBytes } = await file.stat();
      return { totalBytes, stream: file.createReadStream(range ?? {}) };
    },
    remove: (key) => rm(toPath(folder, key), { force: true }),
    list: () => list(folder),
  };
}

/** A second name for the same file; a copy, made beside it first, where the file system knows no second names. */
async function place({ path: from }: LocalFile, path: string): Promise<void> {
  try {
    await link(from, path);
  } catch {
    const copy = `${from}.copy`;
    await copyFile(from, copy);
    await sync(copy);
    await rename(copy, path);
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function* list(folder: string): ReturnType<MediaStore['list']> {
  let page: { key: string; modifiedMs: number }[] = [];
  for (const first of await listSorted(folder, SUB_FOLDER)) {
    for (const second of await listSorted(join(folder, first), SUB_FOLDER)) {
      const inner = join(folder, first, second);
      for (const key of await listSorted(inner, new RegExp(`^${first}${second}`))) {
        const found = await orNull(stat(join(inner, key)));
        page.push(...(found ? [{ key, modifiedMs: found.mtimeMs }] : []));
      }
      if (page.length >= PAGE) {
        yield page;
        page = [];
      }
    }
  }
  if (page.length > 0) {
    yield page;
  }
}

async function listSorted(folder: string, pattern: RegExp): Promise<string[]> {
  return ((await orNull(readdir(folder))) ?? []).filter((name) => pattern.test(name)).sort();
}

function toPath(folder: string, key: string): string {
  if (!/^[0-9a-f][0-9a-f-]{4,120}$/.test(key)) {
    throw new Error('This is no key of a stored object.');
  }
  return join(folder, key.slice(0, 2), key.slice(2, 4), key);
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
