import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeMp4, makePdf, makePng, makeWav } from '../../tests/support/files.ts';
import { inspectMedia } from './inspect-media.ts';

test.each([
  ['a picture its pixels', makePng(30, 20), { kind: 'image', contentType: 'image/png', pixels: 600 }],
  ['a sound its seconds', makeWav(3), { kind: 'audio', contentType: 'audio/wav', seconds: 3 }],
  ['a film its seconds', makeMp4(7), { kind: 'video', contentType: 'video/mp4', seconds: 7 }],
  ['a PDF its pages', makePdf(3), { kind: 'file', contentType: 'application/pdf', pages: 3 }],
  ['a packed PDF its pages', makePdf(5, { packed: true }), { contentType: 'application/pdf', pages: 5 }],
])('the bytes tell of %s', async (_name, bytes, told) => {
  expect(await inspectMedia(bytes)).toMatchObject(told);
});

describe('a PDF', () => {
  test('that counts fewer pages than it holds has those that it holds', async () => {
    expect(await inspectMedia(makePdf(9, { says: 1 }))).toMatchObject({ pages: 9 });
    expect(await inspectMedia(makePdf(9, { says: 1, packed: true }))).toMatchObject({ pages: 9 });
  });

  test('that counts more pages than are found has as many as it counts', async () => {
    expect(await inspectMedia(makePdf(1, { says: 400 }))).toMatchObject({ pages: 400 });
  });

  test('without a page, or that unpacks to more than is unpacked, does not tell', async () => {
    expect(await inspectMedia(makePdf(0))).toMatchObject({ pages: null });
    expect(await inspectMedia(makePdf(700_000, { packed: true }))).toMatchObject({ pages: null });
  });
});

test.each(['', 'hello', '<svg xmlns="http://www.w3.org/2000/svg"/>', '<html></html>', '#!/bin/sh'])(
  'the bytes %j are no file that is taken for a picture, sound, film or PDF',
  async (text) => {
    const found = await inspectMedia(Buffer.from(text));
    expect(found === null || found.kind === 'file').toBe(true);
    expect(found?.contentType).not.toBe('application/pdf');
  },
);

test('whatever the bytes hold, looking at them ends without an error', async () => {
  const starts = [makePng(), makeWav(), makeMp4(), makePdf(2, { packed: true })].map((bytes) => bytes.subarray(0, 40));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 300 }), async (start, rest) => {
      expect(await inspectMedia(Buffer.concat([start, rest]))).not.toBeUndefined();
    }),
    { numRuns: 300 },
  );
});
