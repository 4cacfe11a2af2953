import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { systemClock } from '#kit/index.ts';
import { openMedia } from '#media/index.ts';
import { listKinds } from '../src/plugins.ts';
import { payFor, send, type Answered } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { makeVideo, openToyMedia } from './support/toy-media.ts';

const CANARY = 'canary-in-a-film-Nobody-Reads-This';
const video = makeVideo(Buffer.concat([Buffer.from(CANARY), randomBytes(60_000_000)]));
const paper = Buffer.from(`%PDF-1.7\n%${CANARY}\n1 0 obj\n`);
const sha256 = createHash('sha256').update(video).digest('hex');
const files: { expect: 'video' | 'file'; bytes: Buffer }[] = [
  { expect: 'video', bytes: video },
  { expect: 'file', bytes: paper },
];
const app = useApp({}, { listKinds: (deps) => [...listKinds(deps), openToyMedia(deps.media, files)] });

interface File {
  id: string;
  url: string;
  expiresAt: string;
}

let creator: Creator;
let answer: Answered;
let film: File;
let sheet: File;

const draft = { kind: 'toy_media', parameters: [], config: {}, priceUsdc: '0.05' };

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
  const { url } = await creator.publish({ ...draft, slug: 'film', mediaRetentionSeconds: 7_200 });
  const buyer = await app.current.makeBuyer();
  answer = await send(url, { payment: await payFor(buyer, url), body: {} });
  [film, sheet] = answer.body['files'] as [File, File];
});

const get = (url: string, headers: Record<string, string> = {}, method = 'GET') => fetch(url, { method, headers });

test('an answer and its receipt name each file with its hash, size and type', () => {
  const file = { id: film.id, sha256, sizeBytes: video.length, contentType: 'video/mp4' };
  expect(answer.body).toMatchObject({
    files: [
      { ...file, kind: 'video' },
      { kind: 'file', contentType: 'application/pdf' },
    ],
    receipt: { paidUsdc: '0.05', media: [file, { id: sheet.id, contentType: 'application/pdf' }] },
  });
  expect(Object.keys((answer.body['receipt'] as { media: object[] }).media[0] ?? {}).sort()).toEqual(
    Object.keys(file).sort(),
  );
});

describe('a stored file', () => {
  test('comes whole, under its hash, as nothing that a browser would run', async () => {
    const response = await get(film.url);
    expect(Buffer.from(await response.arrayBuffer()).equals(video)).toBe(true);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'accept-ranges': 'bytes',
      'content-length': String(video.length),
      'content-security-policy': "default-src 'none'; sandbox",
      'content-type': 'video/mp4',
      etag: `"${sha256}"`,
      'x-content-type-options': 'nosniff',
    });
    expect(response.headers.get('content-disposition')).toBe(`inline; filename="${film.id}.mp4"`);
    const other = await get(sheet.url);
    expect(await other.text()).toBe(paper.toString());
    expect(other.headers.get('content-disposition')).toBe(`attachment; filename="${sheet.id}.pdf"`);
  });

  test.each([
    ['the first byte', 'bytes=0-0', [0, 0]],
    ['a part in the middle', 'bytes=1000000-1999999', [1_000_000, 1_999_999]],
    ['from a byte to the end', `bytes=${video.length - 10}-`, [video.length - 10, video.length - 1]],
    ['the last bytes', 'bytes=-500', [video.length - 500, video.length - 1]],
    ['more than there is', `bytes=${video.length - 3}-99999999999`, [video.length - 3, video.length - 1]],
    ['two parts that touch', 'bytes=0-9,10-19', [0, 19]],
  ] as const)('answers a range: %s', async (_name, range, [start, end]) => {
    const response = await get(film.url, { Range: range });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end}/${video.length}`);
    expect(Buffer.from(await response.arrayBuffer()).equals(video.subarray(start, end + 1))).toBe(true);
  });

  test.each(['bytes=99999999999-', 'bytes=-0'])('has nothing outside of it: %s', async (range) => {
    const response = await get(film.url, { Range: range });
    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe(`bytes */${video.length}`);
    expect(await response.json()).toMatchObject({ code: 'invalid_input', status: 416 });
  });

  test.each(['bytes=0-1,5-6', 'lines=1-2', 'bytes=a-b', 'bytes'])('answers %j with the whole', async (range) => {
    const response = await get(sheet.url, { Range: range });
    expect(response.status).toBe(200);
    expect((await response.arrayBuffer()).byteLength).toBe(paper.length);
  });

  test('answers a range only of what the client has already, and nothing where it has all', async () => {
    const etag = `"${sha256}"`;
    const same = await get(film.url, { Range: 'bytes=0-9', 'If-Range': etag });
    expect(same.status).toBe(206);
    await same.body?.cancel();
    const changed = await get(film.url, { Range: 'bytes=0-9', 'If-Range': '"other"' });
    expect(changed.status).toBe(200);
    await changed.body?.cancel();
    const known = await get(film.url, { 'If-None-Match': `W/"x", ${etag}`, Range: 'bytes=0-9' });
    expect([known.status, known.headers.get('etag'), await known.text()]).toEqual([304, etag, '']);
  });

  test('answers HEAD as GET, without a body', async () => {
    const head = await get(film.url, {}, 'HEAD');
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(video.length)]);
    const part = await get(film.url, { Range: 'bytes=-5' }, 'HEAD');
    expect([part.status, part.headers.get('content-length')]).toEqual([206, '5']);
  });

  test('goes out as fast as it is read: forty readers who stand still cost little memory', async () => {
    const { hostname, port, pathname, search } = new URL(film.url);
    const before = process.memoryUsage();
    const sockets = Array.from({ length: 40 }, () => connect({ host: hostname, port: Number(port) }));
    await Promise.all(
      sockets.map(async (socket) => {
        socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
        await once(socket, 'readable');
      }),
    );
    const others = await Promise.all(Array.from({ length: 5 }, () => get(sheet.url).then((found) => found.text())));
    expect(others).toEqual(others.map(() => paper.toString()));
    const after = process.memoryUsage();
    expect(after.arrayBuffers + after.external - before.arrayBuffers - before.external).toBeLessThan(300_000_000);
    sockets.forEach((socket) => socket.destroy());
  });

  test('is opened under either name of the route, by the signed link alone', async () => {
    const other = film.url.replace('/api/media/', '/api/images/');
    expect(film.url).toContain('/api/media/');
    expect((await get(other, { Range: 'bytes=0-3' })).status).toBe(206);
  });

  test('is not told apart from one that is not there by whoever guesses', async () => {
    const guess = async (id: string) => {
      const response = await get(`${app.current.url}/api/media/${id}?expires=99999999999&signature=${'A'.repeat(43)}`);
      const { requestId: _, ...body } = (await response.json()) as Record<string, unknown>;
      return { status: response.status, body };
    };
    const there = await guess(film.id);
    expect(there.status).toBe(403);
    expect(await guess(crypto.randomUUID())).toEqual(there);
    expect((await get(`${app.current.url}/api/media`)).status).toBe(404);
    expect((await get(`${app.current.url}/api/media/`)).status).toBe(404);
  });
});

test('files of an answer live as long as the version says, which everybody may read', async () => {
  const lives = Date.parse(film.expiresAt) - Date.parse((answer.body['receipt'] as { at: string }).at);
  expect(Math.abs(lives - 7_200_000)).toBeLessThan(60_000);
  const shown = await send(`${app.current.url}/api/creators/ada/film`, { method: 'GET' });
  expect(shown.body).toMatchObject({ mediaRetentionSeconds: 7_200 });
  expect(
    await (await fetch(`${app.current.url}/resources/ada/film`, { headers: { Accept: 'text/html' } })).text(),
  ).toContain('kept 2 hours');
});

test('after that time the link and the bytes are gone, and those of a version that keeps them longer stay', async () => {
  const [short, long] = [await buyPaper('short', 3_600), await buyPaper('longer', 86_400)];
  const isKept = async (sha: string) =>
    (await readdir(join(app.current.folder, 'media'), { recursive: true })).some((name) => name.includes(sha));
  const look = async ({ url, sha256: sha }: Paper) => [(await get(url)).status, await isKept(sha)];
  expect([await look(short), await look(long)]).toEqual([
    [200, true],
    [200, true],
  ]);
  try {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(short.expiresAt) + 1_000 });
    expect((await get(short.url)).status).toBe(410);
    // As the jobs of the process do it.
    const { folder, database, url: publicUrl } = app.current;
    const signingKey = Buffer.alloc(32);
    const media = openMedia({ database, folder: join(folder, 'media'), signingKey, publicUrl, clock: systemClock });
    await media.expire();
    await media.sweep();
    expect([await look(short), await look(long)]).toEqual([
      [410, false],
      [200, true],
    ]);
  } finally {
    vi.useRealTimers();
  }
  // By a clock that stands before the end of the link: what was behind it is gone all the same.
  expect((await get(short.url)).status).toBe(410);
});

interface Paper extends File {
  sha256: string;
}

/** From a version that keeps its files for so long; no other answer has these bytes. */
async function buyPaper(slug: string, mediaRetentionSeconds: number): Promise<Paper> {
  const { url } = await creator.publish({ ...draft, slug, mediaRetentionSeconds });
  const buyer = await app.current.makeBuyer();
  const others = files.splice(0, files.length, { expect: 'file', bytes: Buffer.from(`%PDF-1.7\n%${slug}\n`) });
  const bought = await send(url, { payment: await payFor(buyer, url), body: {} });
  files.splice(0, files.length, ...others);
  return (bought.body['files'] as [Paper])[0];
}

test('a version cannot keep files longer than the operator allows', async () => {
  const made = await creator.call('POST', '/api/resources', {
    ...draft,
    slug: 'long',
    mediaRetentionSeconds: 31_536_000,
  });
  expect(made.body['problems']).toContainEqual({
    path: '/mediaRetentionSeconds',
    message: 'Files of answers are kept here for at most 7776000 seconds.',
  });
});

test('nothing of a file stands in the log or in the database', async () => {
  expect(app.current.logged.join('\n')).not.toContain(CANARY);
  const { rows } = await app.current.database.system.query<{ text: string }>(
    `SELECT coalesce(string_agg(to_jsonb(o)::text, ''), '') AS text FROM media_objects o
     UNION ALL SELECT string_agg(to_jsonb(i)::text, '') FROM x402_cached_images i
     UNION ALL SELECT string_agg(to_jsonb(c)::text, '') FROM calls c`,
  );
  expect(rows.length).toBe(3);
  expect(rows.map(({ text }) => text).join('\n')).not.toContain(CANARY);
});
