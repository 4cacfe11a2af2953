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
