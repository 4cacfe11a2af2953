import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { openMedia, type Media } from './index.ts';

const database = useTestDatabase();
const signingKey = randomBytes(32);
const png = PNG.sync.write(new PNG({ width: 7, height: 5 }));
const dataUrl = `data:image/png;base64,${png.toString('base64')}`;
let nowMs = Date.now();
let folder: string;
let media: Media;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farebox-media-'));
  media = open();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function open(key: Uint8Array = signingKey): Media {
  const clock = { now: () => nowMs };
  return openMedia({ database: database.current, folder, signingKey: key, publicUrl: 'https://f.example/', clock });
}

const store = (more: { dataUrl: string } | { bytes: Uint8Array } = { dataUrl }) =>
  media.store({ ownerId: 'u1', callId: newId(), expect: 'image', source: more });

function toQuery(url: string): { expires: string; signature: string } {
  const { searchParams } = new URL(url);
  return { expires: searchParams.get('expires') ?? '', signature: searchParams.get('signature') ?? '' };
}

test('an image is stored as the type that its bytes show and served under a signed URL', async () => {
  const image = await store({ dataUrl: dataUrl.replace('image/png', 'text/html;charset=utf-8') });
  expect(image).toMatchObject({ contentType: 'image/png', width: 7, height: 5 });
  expect(image.url).toMatch(`https://f.example/api/images/${image.id}?expires=`);
  const read = await media.readImage(image.id, toQuery(image.url));
  expect(read).toMatchObject({ contentType: 'image/png', bytes: png });
  expect(read.expiresAt.toISOString()).toBe(image.expiresAt);
  const folders = (await listFiles()).map((file) => dirname(file).slice(folder.length));
  expect(folders.filter((path) => !/^\/[0-9a-f]{2}\/[0-9a-f]{2}$/.test(path))).toEqual([]);
});

test.each([
  ['nothing', 'data:image/png;base64,'],
  ['no base64', 'data:image/png,abc'],
  ['broken base64', 'data:image/png;base64,@@@@'],
  ['an address', 'https://example.com/a.png'],
  ['SVG', `data:image/svg+xml;base64,${btoa('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>')}`],
  ['HTML named PNG', `data:image/png;base64,${btoa('<html><script>alert(1)</script></html>')}`],
])('refuses to store %s', async (_name, wrong) => {
  await expect(store({ dataUrl: wrong })).rejects.toMatchObject({ code: 'unprocessable' });
});

test('refuses to store more than 10 MB, encoded or not', async () => {
  const big = Buffer.concat([png, Buffer.alloc(10_000_000)]);
  await expect(store({ bytes: big })).rejects.toMatchObject({ code: 'too_large' });
  const encoded = `data:image/png;base64,${big.toString('base64')}`;
  await expect(store({ dataUrl: encoded })).rejects.toMatchObject({ code: 'too_large' });
});

test('an image URL with a changed id, expiry or signature is forbidden', async () => {
  const image = await store();
  const query = toQuery(image.url);
  const other = await store();
  const tampered: [string, { expires: string; signature: string }][] = [
    [other.id, query],
    [image.id, { ...query, expires: String(Number(query.expires) + 1) }],
    [image.id, { ...query, expires: `0${query.expires}` }],
    [image.id, { ...query, signature: '' }],
    [image.id, { ...query, signature: query.signature.slice(0, -4) }],
    [image.id, { ...query, signature: randomBytes(32).toString('base64url') }],
    ['../../etc/passwd', query],
    ['', { expires: '', signature: '' }],
  ];
  for (const [id, changed] of tampered) {
    await expect(media.readImage(id, changed)).rejects.toMatchObject({ code: 'forbidden' });
  }
  const foreign = open(randomBytes(32)).readImage(image.id, query);
  await expect(foreign).rejects.toMatchObject({ code: 'forbidden' });
});

test('an image URL with one flipped bit in its signature is forbidden', async () => {
  const image = await store();
  const query = toQuery(image.url);
  await fc.assert(
    fc.asyncProperty(fc.nat(31), fc.nat(7), async (byte, bit) => {
      const signature = Buffer.from(query.signature, 'base64url');
      signature[byte] = (signature[byte] ?? 0) ^ (1 << bit);
      const changed = { ...query, signature: signature.toString('base64url') };
      await expect(media.readImage(image.id, changed)).rejects.toMatchObject({ code: 'forbidden' });
    }),
    { numRuns: 60 },
  );
});

test('expired images are gone, first by address, then from disk and database', async () => {
  const image = await store();
  nowMs += 7 * 86_400_000 - 1_000;
  const later = await store();
  expect(await media.readImage(image.id, toQuery(image.url))).toMatchObject({ bytes: png });
  nowMs += 1_000;
  await expect(media.readImage(image.id, toQuery(image.url))).rejects.toMatchObject({ code: 'gone' });
  const counts = await Promise.all([media.expireImages(), media.expireImages()]);
  expect(counts[0] + counts[1]).toBeGreaterThan(0);
  const { rows } = await database.current.system.query('SELECT id FROM x402_cached_images');
  expect(rows).toEqual([{ id: later.id }]);
  expect(await media.readImage(later.id, toQuery(later.url))).toMatchObject({ bytes: png });
  expect(await media.expireImages()).toBe(0);
});

test('an image whose file is lost or changed is gone', async () => {
  const image = await store();
  const before = new Set(await listFiles());
  const changed = await store();
  const path = (await listFiles()).find((file) => !before.has(file)) ?? '';
  await writeFile(path, Buffer.concat([await readFile(path), Buffer.from('x')]));
  await expect(media.readImage(changed.id, toQuery(changed.url))).rejects.toMatchObject({ code: 'gone' });
  await Promise.all((await listFiles()).map((file) => rm(file)));
  await expect(media.readImage(image.id, toQuery(image.url))).rejects.toMatchObject({ code: 'gone' });
});

test('drafts of killed writes are swept, running ones are not', async () => {
  const old = join(folder, 'incoming', 'old');
  const fresh = join(folder, 'incoming', 'fresh');
  await store();
  await Promise.all([writeFile(old, 'x'), writeFile(fresh, 'x')]);
  await utimes(old, new Date(nowMs - 7_200_000), new Date(nowMs - 7_200_000));
  await utimes(fresh, new Date(nowMs), new Date(nowMs));
  await media.expireImages();
  expect(await readdir(join(folder, 'incoming'))).toEqual(['fresh']);
  await rm(fresh);
});

test('creators see the rows of their own images and change none', async () => {
  const image = await store();
  const seenBy = (userId: string) =>
    database.current.asUser(userId, async (tx) => (await tx.query('SELECT id FROM x402_cached_images')).rows);
  expect(await seenBy('u1')).toContainEqual({ id: image.id });
  expect(await seenBy('u2')).toEqual([]);
  const removal = database.current.asUser('u1', (tx) => tx.query('DELETE FROM x402_cached_images'));
  await expect(removal).rejects.toThrow('permission denied');
});

async function listFiles(): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
