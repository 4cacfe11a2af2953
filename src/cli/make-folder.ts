import { mkdir, mkdtemp, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Finding } from './doctor.ts';

/**
 * Makes the data folder where it is missing, with the folders above it, and tries whether it can be written to. Throws one
 * sentence that names DATA_DIR. Each folder is made by itself: Node's recursive `mkdir` never ends below /proc,
 * where making a folder is answered with "no such file".
 * @returns the folders that it made, outermost first.
 */
export async function makeFolder(folder: string): Promise<string[]> {
  const made: string[] = [];
  try {
    for (const path of await listMissing(folder)) {
      await mkdir(path);
      made.push(path);
    }
    await rmdir(await mkdtemp(join(folder, '.farebox-')));
    return made;
  } catch (error) {
    await removeFolders(made);
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    const fault = code === 'ENOTDIR' || code === 'EEXIST' ? 'is no folder, or lies below a file' : 'cannot be written';
    throw new Error(
      `DATA_DIR: ${folder} ${fault} (${code}). Choose a folder of your own, such as DATA_DIR=./data npm start`,
      { cause: error },
    );
  }
}

/** The same attempt, of which nothing is left. */
export async function checkFolder(folder: string): Promise<Finding> {
  const made = await makeFolder(folder);
  await removeFolders(made);
  return { state: 'good', detail: `${folder} can be ${made.length > 0 ? 'made and ' : ''}written` };
}

async function listMissing(folder: string): Promise<string[]> {
  const missing: string[] = [];
  for (let path = folder; !(await isThere(path)) && path !== dirname(path); path = dirname(path)) {
    missing.unshift(path);
  }
  return missing;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function removeFolders(made: readonly string[]): Promise<void> {
  for (const path of made.toReversed()) {
    await rmdir(path).catch(() => {});
  }
}
