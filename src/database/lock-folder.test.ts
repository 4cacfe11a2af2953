import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lockFolder } from './lock-folder.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farebox-lock-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a second process on the same data folder is told who holds it and what to do', async () => {
  const release = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toThrow(new RegExp(`process ${process.pid}.*DATA_DIR=`, 's'));
  await release();
  const again = await lockFolder(folder);
  await again();
});

test('of many processes that lock the data folder at once, one gets it', async () => {
  const taken = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)));
  const won = taken.filter((result) => result.status === 'fulfilled');
  expect(won).toHaveLength(1);
  await won[0]?.value();
});

test('a data folder whose path is too long for a socket can be locked', async () => {
  const deep = join(folder, 'x'.repeat(80), 'y'.repeat(80));
  const release = await lockFolder(deep);
  await expect(lockFolder(deep)).rejects.toThrow(/is running on the data folder/);
  await release();
});
