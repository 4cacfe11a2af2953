import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import { useOlderDatabase } from '../../tests/support/older-database.ts';
import { openMedia, type Media } from './index.ts';
import { signMedia } from './sign-url.ts';

/* Pictures that were stored while each row had a file of its own, named by the hash of the row's id. */
const database = useOlderDatabase('0031');
const signingKey = randomBytes(32);
const bytes = PNG.sync.write(new PNG({ width: 7, height: 5 }));
const sha256 = createHash('sha256').update(bytes).digest('hex');
const [one, two] = [newId(), newId()];
const start = Date.now();
let nowMs = start;
let folder: string;
let media: Media;

async function insertOld(id: string, livesForMs: number): Promise<void> {
  const name = createHash('sha256').update(id).digest('hex');
  const path = join(folder, name.slice(0, 2), name.slice(2, 4), name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  await database.current.system.query(
    `INSERT INTO x402_cached_images (id, owner_id, call_id, content_type, width, height, bytes, sha256, created_at, expires_at)
     VALUES ($1, 'u1', $2, 'image/png', 7, 5, $3, $4, $5, $6)`,
    [id, newId(), bytes.length, sha256, new Date(start), new Date(start + livesForMs)],
  );
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farebox-older-media-'));
  await insertOld(one, 3_600_000);
  await insertOld(two, 7_200_000);
  await database.update();
  const clock = { now: () => nowMs };
  media = openMedia({ database: database.current, folder, signingKey, publicUrl: 'https://f.example', clock });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(id: string, livesForMs: number): Promise<Buffer> {
  const query = signMedia(signingKey, id, Math.floor((start + livesForMs) / 1000));
  const opened = await media.open(id, query);
  expect(opened).toMatchObject({ kind: 'image', contentType: 'image/png', sha256 });
  return buffer(await opened.read());
}

test('a link to a picture from before opens it until it expires, and then its file goes', async () => {
  expect(await read(one, 3_600_000)).toEqual(bytes);
  expect(await read(two, 7_200_000)).toEqual(bytes);
  expect(await media.sweep()).toEqual({ orphans: 0, lost: 0 });
  const again = await media.store({ ownerId: 'u1', callId: newId(), expect: 'image', source: { bytes } });
  const { rows } = await database.current.system.query('SELECT 1 FROM media_objects');
  expect(rows.length).toBe(2);
  nowMs = start + 3_600_000;
  await media.expire();
  expect(await read(two, 7_200_000)).toEqual(bytes);
  nowMs = start + 7_200_000;
  await media.expire();
  const url = new URL(again.url);
  const opened = await media.open(again.id, {
    expires: url.searchParams.get('expires') ?? '',
    signature: url.searchParams.get('signature') ?? '',
  });
  expect(await buffer(await opened.read())).toEqual(bytes);
  nowMs = start + 8 * 86_400_000;
  await media.expire();
  expect((await database.current.system.query('SELECT 1 FROM media_objects')).rowCount).toBe(0);
  expect(await media.sweep()).toEqual({ orphans: 0, lost: 0 });
});
