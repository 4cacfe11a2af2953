import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { watchLoop } from '../../tests/support/watch-loop.ts';
import { makeMp4, makePdf, makePng, makeWav } from '../../tests/support/files.ts';
import { inspectMedia } from './inspect-media.ts';

const audio = ['wav', 'mpeg', 'ogg', 'flac', 'aac', 'mp4'].map((name) => `audio/${name}`);
const video = ['mp4', 'webm', 'quicktime'].map((name) => `video/${name}`);
const images = ['png', 'jpeg', 'webp', 'gif'].map((name) => `image/${name}`);
const contentTypes = [...audio, ...video, ...images, 'application/pdf'];

function inspect(bytes: Uint8Array, { taken = contentTypes, client = 'one' } = {}) {
  return inspectMedia(bytes, { contentTypes: taken, client, untilMs: performance.now() + 60_000 });
}

test.each([
  ['a picture its pixels', makePng(30, 20), { kind: 'image', contentType: 'image/png', pixels: 600 }],
  ['a sound its seconds', makeWav(3), { kind: 'audio', contentType: 'audio/wav', seconds: 3 }],
  ['a film its seconds', makeMp4(7), { kind: 'video', contentType: 'video/mp4', seconds: 7 }],
  ['a PDF its pages', makePdf(3), { kind: 'file', contentType: 'application/pdf', pages: 3 }],
  ['a packed PDF its pages', makePdf(5, { packed: true }), { contentType: 'application/pdf', pages: 5 }],
])('the bytes tell of %s', async (_name, bytes, told) => {
  expect(await inspect(bytes)).toMatchObject(told);
});

describe('a PDF', () => {
  test('that counts fewer pages than it holds has those that it holds', async () => {
    expect(await inspect(makePdf(9, { says: 1 }))).toMatchObject({ pages: 9 });
    expect(await inspect(makePdf(9, { says: 1, packed: true }))).toMatchObject({ pages: 9 });
  });

  test('that counts more pages than are found has as many as it counts', async () => {
    expect(await inspect(makePdf(1, { says: 400 }))).toMatchObject({ pages: 400 });
  });

  test('without a page, or that unpacks to more than is unpacked, does not tell', async () => {
    expect(await inspect(makePdf(0))).toMatchObject({ pages: null });
    expect(await inspect(makePdf(700_000, { packed: true }))).toMatchObject({ pages: null });
  });
});

test.each(['', 'hello', '<svg xmlns="http://www.w3.org/2000/svg"/>', '<html></html>', '#!/bin/sh'])(
  'the bytes %j are no file that is taken for a picture, sound, film or PDF',
  async (text) => {
    const found = await inspect(Buffer.from(text));
    expect(found).toBeNull();
  },
);

test('whatever the bytes hold, looking at them ends without an error', async () => {
  const starts = [makePng(), makeWav(), makeMp4(), makePdf(2, { packed: true })].map((bytes) => bytes.subarray(0, 40));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 300 }), async (start, rest) => {
      expect(await inspect(Buffer.concat([start, rest]))).not.toBeUndefined();
    }),
    { numRuns: 300 },
  );
});

const hex = (text: string) => Buffer.from(text, 'hex');
const emptyElements = [
  hex('1a45dfa39f4286810142f7810142f2810442f381084282847765626d42878104428581021853806701ffffffffffffff'),
  Buffer.alloc(2_000_000, hex('ec80')),
];
const hostile: [string, Buffer, string][] = [
  ['a PDF of names of packed objects', Buffer.from(`%PDF-1.4\n${'/ObjStm'.repeat(250_000)}`), 'application/pdf'],
  ['a film of empty elements', Buffer.concat(emptyElements), 'video/webm'],
  ['a film of empty boxes', Buffer.concat([makeMp4(), Buffer.alloc(8_000_000, hex('0000000866726565'))]), 'video/mp4'],
  [
    'a sound of empty chunks',
    Buffer.concat([makeWav(), Buffer.alloc(8_000_000, hex('6a756e6b00000000'))]),
    'audio/wav',
  ],
  ['a sound of the smallest frames', Buffer.alloc(7_000_000, hex('fff150800100fc')), 'audio/aac'],
];

describe('a file that is made to take long', () => {
  test.each(hostile)('holds up nobody while it is measured: %s', async (_name, bytes, contentType) => {
    const watched = watchLoop();
    const found = await inspect(bytes);
    expect(watched.stop()).toBeLessThan(1_000);
    expect(found).toMatchObject({ contentType });
  });

  test.each(hostile)('is not measured where its type is not taken: %s', async (_name, bytes, contentType) => {
    const found = await inspect(bytes, { taken: ['image/png'] });
    expect(found).toEqual(expect.objectContaining({ contentType, pages: null, seconds: null }));
  });

  test('makes wait who sent it, and does not tell; files of others are measured meanwhile', async () => {
    const [, film] = hostile[1] ?? ['', Buffer.alloc(0)];
    const large = Buffer.concat([film, Buffer.alloc(10_000_000, hex('ec80'))]);
    let isOver = false;
    const slow = inspect(large, { client: 'slow' }).finally(() => {
      isOver = true;
    });
    expect(await inspect(makePdf(3), { client: 'other' })).toMatchObject({ pages: 3 });
    const next = inspectMedia(makePdf(2), { contentTypes, client: 'slow', untilMs: performance.now() });
    expect(await next).toBe('busy');
    expect(isOver).toBe(false);
    expect(await slow).toMatchObject({ seconds: null });
    expect(await inspect(makePdf(4), { client: 'slow' })).toMatchObject({ pages: 4 });
  });
});
