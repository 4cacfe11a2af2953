import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openDatabase, type Database } from '#database/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { openMedia, type Media } from './index.ts';

const database = useTestDatabase();
const signingKey = Buffer.alloc(32, 7);
const png = PNG.sync.write(new PNG({ width: 7, height: 5 }));
const MB = 1_000_000;
const limits = { maxBytes: MB, totalBytes: 20 * MB, dailyBytes: 40 * MB, receivedWithinMs: 10_000 };
let nowMs: number;
let folder: string;
let media: Media;
let others: Database[];

beforeAll(async () => {
  others = [0, 1].map(() => openDatabase({ url: database.url, systemConnections: 8 }));
});
afterAll(() => Promise.all(others.map((other) => other.close())));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farebox-uploads-'));
  nowMs = Date.parse('2026-01-02T03:04:05.000Z');
  await database.current.system.query('DELETE FROM media_uploads');
  await database.current.system.query('DELETE FROM media_upload_days');
  await database.current.system.query('DELETE FROM media_objects');
  media = open();
  return () => rm(folder, { recursive: true, force: true });
});

function open(uploads: Partial<typeof limits> = limits, on: Database = database.current): Media {
  const clock = { now: () => nowMs };
  return openMedia({ database: on, folder, signingKey, publicUrl: 'https://f.example', clock, uploads });
}

async function* chunks(...parts: Uint8Array[]) {
  yield* parts;
}

/** Sends its first part and then nothing, until it is told to go on or to break off. */
function stuck(bytes: Buffer) {
  const go = Promise.withResolvers<void>();
  go.promise.catch(() => {});
  async function* stream() {
    yield bytes.subarray(0, 10);
    await go.promise;
    yield bytes.subarray(10);
  }
  return { stream: stream(), finish: () => go.resolve(), breakOff: () => go.reject(new Error('aborted')) };
}

const sent = (
  bytes: Buffer,
  more: { declaredBytes?: number | undefined; contentType?: string; sender?: string } = {},
) => ({
  stream: chunks(bytes),
  declaredBytes: bytes.length,
  contentType: undefined,
  sender: '192.0.2.1',
  ...more,
});

async function readState() {
  const { rows } = await database.current.system.query<{ held: string; today: string }>(
    `SELECT (SELECT coalesce(sum(bytes), 0) FROM media_uploads) AS held,
            (SELECT coalesce(sum(bytes), 0) FROM media_upload_days) AS today`,
  );
  return { held: Number(rows[0]?.held), today: Number(rows[0]?.today) };
}

test('an upload is read by its id for an hour, as what its bytes are', async () => {
  const upload = await media.takeUpload(sent(png, { contentType: 'text/html' }));
  expect(upload).toMatchObject({ contentType: 'image/png', kind: 'image', sizeBytes: png.length });
  expect(upload.id).toMatch(/^[\w-]{32}$/);
  expect(await media.readUpload(upload.id, 1_000_000)).toEqual({ bytes: png });
  nowMs += 3_600_000 - 1;
  expect(await media.readUpload(upload.id, 1_000_000)).not.toBeNull();
  expect(await media.readUpload(upload.id, png.length - 1)).toEqual({ tooLarge: png.length });
  nowMs += 1;
  expect(await media.readUpload(upload.id, 1_000_000)).toBeNull();
  await media.expire();
  expect(await readState()).toMatchObject({ held: 0 });
  expect((await database.current.system.query('SELECT 1 FROM media_objects')).rowCount).toBe(0);
});

test('an id that was not given opens nothing, and no id lies in the database', async () => {
  const { id } = await media.takeUpload(sent(png));
  for (const guess of ['', id.slice(1), `${id}x`, 'A'.repeat(32), '../../etc/passwd']) {
    expect(await media.readUpload(guess, 1_000_000)).toBeNull();
  }
  const { rows } = await database.current.system.query<{ text: string }>(
    'SELECT to_jsonb(u)::text AS text FROM media_uploads u',
  );
  expect(rows[0]?.text).not.toContain(id);
  expect(rows[0]?.text).not.toContain('192.0.2.1');
});

test.each([
  ['nothing', Buffer.alloc(0), undefined],
  ['HTML', Buffer.from('<html><script>1</script>'), 'text/plain'],
  ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'image/svg+xml'],
  ['text that is not said to be text', Buffer.from('hello'), 'image/png'],
  ['a program', Buffer.from('\x7fELF\x02\x01\x01', 'latin1'), 'application/pdf'],
])('an upload of %s is refused and takes no place', async (_name, bytes, contentType) => {
  const upload = media.takeUpload({ ...sent(bytes), contentType });
  await expect(upload).rejects.toMatchObject({ code: 'unprocessable' });
  expect(await readState()).toMatchObject({ held: 0 });
});

test('an upload that says that it is too large is refused before anything of it is read', async () => {
  let hasRead = false;
  async function* stream() {
    hasRead = true;
    yield png;
  }
  const upload = media.takeUpload({ ...sent(png), stream: stream(), declaredBytes: MB + 1 });
  await expect(upload).rejects.toMatchObject({ code: 'too_large', headers: { Connection: 'close' } });
  expect(hasRead).toBe(false);
  expect(await readState()).toEqual({ held: 0, today: 0 });
});

test('an upload that says nothing, or less than it is, is cut off', async () => {
  const big = Buffer.concat([png, Buffer.alloc(MB)]);
  for (const declaredBytes of [undefined, png.length]) {
    await expect(media.takeUpload({ ...sent(big), declaredBytes })).rejects.toMatchObject({ code: 'too_large' });
  }
  expect(await readState()).toMatchObject({ held: 0 });
  expect(await readdir(join(folder, 'incoming'))).toEqual([]);
});

test('what is being received counts like what is there: one sender holds no more than a tenth by doing all at once', async () => {
  const stuckOnes = Array.from({ length: 6 }, () => stuck(png));
  const uploads = stuckOnes.map(({ stream }, at) =>
    open(limits, others[at % 2]).takeUpload({ ...sent(png), stream, declaredBytes: undefined }),
  );
  const refused: unknown[] = [];
  const settled = uploads.map((upload) => upload.catch((error: unknown) => refused.push(error)));
  while (refused.length < 4) {
    await new Promise(setImmediate);
  }
  await untilHeld(2);
  await expect(media.takeUpload(sent(png))).rejects.toMatchObject({ code: 'rate_limited' });
  expect(await media.takeUpload(sent(png, { sender: '198.51.100.7' }))).toMatchObject({ kind: 'image' });
  stuckOnes.forEach(({ finish }) => finish());
  await Promise.all(settled);
  expect(refused.length).toBe(4);
  expect(refused).toEqual(refused.map(() => expect.objectContaining({ code: 'rate_limited' })));
  expect(await media.takeUpload(sent(png))).toMatchObject({ kind: 'image' });
});

test('all senders together hold no more than the total, however many come at once', async () => {
  const total = { ...limits, totalBytes: 10 * MB };
  const stuckOnes = Array.from({ length: 30 }, () => stuck(png));
  const refused: unknown[] = [];
  const settled = stuckOnes.map(async ({ stream }, at) => {
    const upload = { ...sent(png, { sender: `192.0.2.${at}` }), stream, declaredBytes: undefined };
    await open(total, others[at % 2])
      .takeUpload(upload)
      .catch((error: unknown) => refused.push(error));
  });
  while (refused.length < 20) {
    await new Promise(setImmediate);
  }
  await untilHeld(10);
  expect((await readState()).held).toBe(10 * MB);
  stuckOnes.forEach(({ finish }) => finish());
  await Promise.all(settled);
  expect(refused.length).toBe(20);
});

test('a day has room for so much, counted when it comes in, and what was set aside in vain comes back', async () => {
  const daily = open({ ...limits, dailyBytes: 2 * MB });
  const broken = stuck(png);
  const upload = daily.takeUpload({ ...sent(png), stream: broken.stream, declaredBytes: undefined });
  await untilHeld(1);
  expect(await readState()).toEqual({ held: MB, today: MB });
  broken.breakOff();
  await expect(upload).rejects.toThrow('aborted');
  expect(await readState()).toEqual({ held: 0, today: 65_536 });
  const almost = Buffer.concat([png, Buffer.alloc(MB - png.length)]);
  await daily.takeUpload(sent(almost));
  const over = daily.takeUpload(sent(almost, { sender: '198.51.100.7' }));
  await expect(over).rejects.toMatchObject({ code: 'rate_limited', headers: { 'Retry-After': '75355' } });
  nowMs = Date.parse('2026-01-03T00:00:00.000Z');
  expect(await daily.takeUpload(sent(almost, { sender: '198.51.100.7' }))).toMatchObject({ sizeBytes: MB });
});

test('a sender who stops sending is turned away and leaves nothing', async () => {
  const slow = open({ ...limits, receivedWithinMs: 20 });
  const upload = slow.takeUpload({ ...sent(png), stream: stuck(png).stream });
  await expect(upload).rejects.toMatchObject({
    code: 'invalid_input',
    message: expect.stringMatching(/within 0.02 s/),
  });
  expect(await readState()).toMatchObject({ held: 0 });
  expect(await readdir(join(folder, 'incoming'))).toEqual([]);
});

test('the place of an upload whose process was killed is free again after some minutes', async () => {
  void media.takeUpload({ ...sent(png), stream: stuck(png).stream, declaredBytes: undefined }).catch(() => {});
  await untilHeld(1);
  expect(await readState()).toMatchObject({ held: MB });
  nowMs += 310_000;
  await media.expire();
  expect(await readState()).toMatchObject({ held: 0 });
});

/** Waits for so many uploads that are being received. */
async function untilHeld(count: number): Promise<void> {
  for (;;) {
    const { rowCount } = await database.current.system.query('SELECT 1 FROM media_uploads WHERE object_id IS NULL');
    if ((rowCount ?? 0) >= count) {
      return;
    }
  }
}
