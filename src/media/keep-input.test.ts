import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { openMedia, type Media } from './open-media.ts';

const database = useTestDatabase();
const bytes = Buffer.from('what a buyer sent');
const contentType = 'image/png';
let folder: string;
let nowMs = Date.now();
let media: Media;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farebox-inputs-'));
  const clock = { now: () => nowMs };
  const signingKey = randomBytes(32);
  media = openMedia({ database: database.current, folder, signingKey, publicUrl: 'https://f.example', clock });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function listFiles(): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

test('the very bytes that were kept come back, and none of another call', async () => {
  const [mine, other] = [newId(), newId()];
  const kept = await media.keepInput({ callId: mine, contentType, bytes });
  const others = await media.keepInput({ callId: other, contentType, bytes });
  expect(kept).toMatchObject({ contentType, sizeBytes: bytes.length, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(await media.readInput(kept)).toEqual(bytes);
  await media.forgetInputs(mine);
  expect(await media.readInput(kept)).toBeNull();
  expect(await media.readInput(others)).toEqual(bytes);
  await media.forgetInputs(other);
  expect(await listFiles()).toEqual([]);
});

test('bytes that have changed on the disk are gone', async () => {
  const callId = newId();
  const kept = await media.keepInput({ callId, contentType, bytes });
  await Promise.all((await listFiles()).map((path) => writeFile(path, 'something else')));
  expect(await media.readInput(kept)).toBeNull();
  await media.forgetInputs(callId);
});

test('what nobody has forgotten goes when its time is over, with its rows', async () => {
  await media.keepInput({ callId: newId(), contentType, bytes });
  expect(await media.expire()).toBe(0);
  nowMs += 8 * 86_400_000;
  const counts = await Promise.all([media.expire(), media.expire()]);
  expect(counts[0] + counts[1]).toBe(1);
  expect(await listFiles()).toEqual([]);
  expect((await database.current.system.query('SELECT id FROM media_inputs')).rows).toEqual([]);
});
