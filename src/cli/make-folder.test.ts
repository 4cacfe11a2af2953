import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { checkFolder, makeFolder } from './make-folder.ts';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'farebox-folder-'));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
});

test('makes the folder and those above it, and leaves nothing in it', async () => {
  const folder = join(parent, 'a', 'b');
  expect(await makeFolder(folder)).toEqual([join(parent, 'a'), folder]);
  expect(await readdir(folder)).toEqual([]);
  expect(await makeFolder(folder)).toEqual([]);
});

test('the check of a folder that is missing leaves nothing behind', async () => {
  const folder = join(parent, 'a', 'b');
  expect(await checkFolder(folder)).toEqual({ state: 'good', detail: `${folder} can be made and written` });
  expect(await readdir(parent)).toEqual([]);
});

test('a folder below /proc, which can be made by nobody, is refused at once', async () => {
  await expect(makeFolder('/proc/farebox/data')).rejects.toThrow(
    /^DATA_DIR: \/proc\/farebox\/data cannot be written \(ENOENT\)\. Choose a folder of your own, such as DATA_DIR=/,
  );
});

test('a file in the way is told, and what was made is taken away again', async () => {
  const file = join(parent, 'file');
  await writeFile(file, 'kept');
  for (const folder of [file, join(file, 'data')]) {
    await expect(makeFolder(folder)).rejects.toThrow(/^DATA_DIR: .* is no folder, or lies below a file \(/);
  }
  expect((await stat(file)).size).toBe(4);
});
