import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { openMedia, type Media, type MediaSource } from './index.ts';

const database = useTestDatabase();
const signingKey = randomBytes(32);
const png = PNG.sync.write(new PNG({ width: 7, height: 5 }));
const dataUrl = `data:image/png;base64,${png.toString('base64')}`;
const limits = { maxBytes: { image: 2_000_000 }, maxPixels: 1_000_000 };
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
  return openMedia({
    database: database.current,
    folder,
    signingKey: key,
    publicUrl: 'https://f.example/',
    clock,
    limits,
  });
}

const store = (source: MediaSource = { dataUrl }) =>
  media.store({ ownerId: 'u1', callId: newId(), expect: 'image', source });

/** Other pixels each time. */
function makePng(): Buffer {
  const picture = new PNG({ width: 7, height: 5 });
  randomBytes(picture.data.length).copy(picture.data);
  return PNG.sync.write(picture);
}

async function read(id: string, query: { expires: string; signature: string }) {
  const opened = await media.open(id, query);
  return { ...opened, bytes: await buffer(await opened.read()) };
}

function toQuery(url: string): { expires: string; signature: string } {
  const { searchParams } = new URL(url);
  return { expires: searchParams.get('expires') ?? '', signature: searchParams.get('signature') ?? '' };
}

test('an image is stored as the type that its bytes show and served under a signed URL', async () => {
  const image = await store({ dataUrl: dataUrl.replace('image/png', 'text/html;charset=utf-8') });
  const sha256 = createHash('sha256').update(png).digest('hex');
  expect(image).toMatchObject({
    kind: 'image',
    contentType: 'image/png',
    width: 7,
    height: 5,
    sizeBytes: png.length,
    sha256,
  });
  expect(image.url).toMatch(`https://f.example/api/images/${image.id}?expires=`);
  const found = await read(image.id, toQuery(image.url));
  expect(found).toMatchObject({ contentType: 'image/png', bytes: png, sha256: image.sha256, sizeBytes: png.length });
  expect(found.expiresAt.toISOString()).toBe(image.expiresAt);
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

test('refuses to store more than the limit of the kind, encoded or not', async () => {
  const big = Buffer.concat([png, Buffer.alloc(2_000_000)]);
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
    await expect(media.open(id, changed)).rejects.toMatchObject({ code: 'forbidden' });
  }
  const foreign = open(randomBytes(32)).open(image.id, query);
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
      await expect(media.open(image.id, changed)).rejects.toMatchObject({ code: 'forbidden' });
    }),
    { numRuns: 60 },
  );
});

test('expired images are gone, first by address, then from disk and database', async () => {
  const image = await store();
  nowMs += 7 * 86_400_000 - 1_000;
  const later = await store();
  expect(await read(image.id, toQuery(image.url))).toMatchObject({ bytes: png });
  nowMs += 1_000;
  await expect(read(image.id, toQuery(image.url))).rejects.toMatchObject({ code: 'gone' });
  const counts = await Promise.all([media.expire(), media.expire()]);
  expect(counts[0] + counts[1]).toBeGreaterThan(0);
  const { rows } = await database.current.system.query('SELECT id FROM x402_cached_images');
  expect(rows).toEqual([{ id: later.id }]);
  expect(await read(later.id, toQuery(later.url))).toMatchObject({ bytes: png });
  expect(await media.expire()).toBe(0);
});

test('a file that is lost or changed is gone, and never sent as what it was', async () => {
  const image = await store({ bytes: makePng() });
  const before = new Set(await listFiles());
  const [longer, other] = [await store({ bytes: makePng() }), makePng()];
  const path = (await listFiles()).find((file) => !before.has(file)) ?? '';
  const bytes = await readFile(path);
  await writeFile(path, Buffer.concat([bytes, Buffer.from('x')]));
  await expect(read(longer.id, toQuery(longer.url))).rejects.toMatchObject({ code: 'gone' });
  await writeFile(path, Buffer.concat([other, Buffer.alloc(bytes.length)]).subarray(0, bytes.length));
  await expect(read(longer.id, toQuery(longer.url))).rejects.toThrow('is not what was stored');
  await Promise.all((await listFiles()).map((file) => rm(file)));
  await expect(read(image.id, toQuery(image.url))).rejects.toMatchObject({ code: 'gone' });
  await expect((await media.open(image.id, toQuery(image.url))).assertThere()).rejects.toMatchObject({ code: 'gone' });
});

test('the same content again is one file, until the last that refers to it expires', async () => {
  const bytes = makePng();
  const before = (await listFiles()).length;
  const first = await store({ bytes });
  nowMs += 60_000;
  const second = await store({ bytes });
  expect(second.id).not.toBe(first.id);
  expect((await listFiles()).length).toBe(before + 1);
  nowMs += 7 * 86_400_000 - 60_000;
  await media.expire();
  await expect(read(first.id, toQuery(first.url))).rejects.toMatchObject({ code: 'gone' });
  expect(await read(second.id, toQuery(second.url))).toMatchObject({ bytes });
  nowMs += 60_000;
  await media.expire();
  expect(await listFiles()).toEqual([]);
});

test('a file that was lost is written anew when the same content comes again', async () => {
  const bytes = makePng();
  await store({ bytes });
  await Promise.all((await listFiles()).map((file) => rm(file)));
  const again = await store({ bytes });
  expect(await read(again.id, toQuery(again.url))).toMatchObject({ bytes });
});

test('each file lives as long as its version says', async () => {
  const kept = await media.store({
    ownerId: 'u1',
    callId: newId(),
    expect: 'image',
    retentionSeconds: 3_600,
    source: { dataUrl },
  });
  expect(Date.parse(kept.expiresAt)).toBe(Math.floor((nowMs + 3_600_000) / 1000) * 1000);
});

test('a picture of more pixels than allowed, or of no size, is refused', async () => {
  const huge = PNG.sync.write(new PNG({ width: 2_000, height: 501 }));
  await expect(store({ bytes: huge })).rejects.toMatchObject({ code: 'too_large', message: /megapixels/ });
  const empty = Buffer.from('GIF89a\0\0\0\0', 'latin1');
  await expect(store({ bytes: empty })).rejects.toMatchObject({ code: 'unprocessable' });
});

test('what is of another kind than expected is refused', async () => {
  const expected = media.store({ ownerId: 'u1', callId: newId(), expect: 'audio', source: { dataUrl } });
  await expect(expected).rejects.toMatchObject({ code: 'unprocessable', message: /^A sound .* WAV, MP3/ });
});

test('a stream is stored as it comes and cut off where it is too long, and nothing is left of it', async () => {
  const bytes = makePng();
  async function* inPieces() {
    for (let at = 0; at < bytes.length; at += 10) {
      yield bytes.subarray(at, at + 10);
    }
  }
  const image = await store({ stream: inPieces() });
  expect(await read(image.id, toQuery(image.url))).toMatchObject({ bytes });
  let sent = 0;
  async function* endless() {
    for (;;) {
      yield Buffer.alloc(1_000, (sent += 1));
    }
  }
  await expect(store({ stream: endless() })).rejects.toMatchObject({ code: 'too_large' });
  expect(sent).toBe(2_001);
  expect(await readdir(join(folder, 'incoming'))).toEqual([]);
});

test('drafts of killed writes are swept, running ones are not', async () => {
  const old = join(folder, 'incoming', 'old');
  const fresh = join(folder, 'incoming', 'fresh');
  await store();
  await Promise.all([writeFile(old, 'x'), writeFile(fresh, 'x')]);
  await utimes(old, new Date(nowMs - 7_200_000), new Date(nowMs - 7_200_000));
  await utimes(fresh, new Date(nowMs), new Date(nowMs));
  await media.sweep();
  expect(await readdir(join(folder, 'incoming'))).toEqual(['fresh']);
  await utimes(fresh, new Date(nowMs - 7_200_000), new Date(nowMs - 7_200_000));
  const restarted = open();
  await restarted.store({ ownerId: 'u1', callId: newId(), expect: 'image', source: { dataUrl } });
  await expect.poll(() => readdir(join(folder, 'incoming'))).toEqual([]);
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
