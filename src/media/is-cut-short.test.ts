import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeMp4, makePng, makeWav } from '../../tests/support/files.ts';
import { isCutShort } from './is-cut-short.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const jpeg = Buffer.concat([hex('ffd8ffe0 0010'), Buffer.from('JFIF\0 whatever a picture holds'), hex('ffd9')]);
/** Header of one byte, a segment of 64 bytes. */
const webm = Buffer.concat([hex('1a45dfa3 81 00 18538067 4040'), Buffer.alloc(64, 7)]);
const openWebm = Buffer.concat([hex('1a45dfa3 81 00 18538067 01ffffffffffffff'), Buffer.alloc(64, 7)]);
const wholes = { png: makePng(), jpeg, wav: makeWav(), mp4: makeMp4(), webm };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farebox-cut-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function judge(bytes: Buffer): Promise<boolean> {
  const path = join(folder, 'file');
  await writeFile(path, bytes);
  return isCutShort({ path, sizeBytes: bytes.length });
}

/** Where a file of boxes may end and be whole. */
function listBoxEnds(bytes: Buffer): number[] {
  const ends: number[] = [];
  for (let at = 0; at < bytes.length; ends.push(at)) {
    at += bytes.readUInt32BE(at);
  }
  return ends;
}

test.each(Object.entries(wholes))(
  '%s is cut wherever it ends before its end, and whole otherwise',
  async (name, bytes) => {
    expect(await judge(bytes)).toBe(false);
    const ends = name === 'mp4' ? listBoxEnds(bytes) : [];
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 16, max: bytes.length - 1 }), async (length) => {
        fc.pre(!ends.includes(length));
        expect(await judge(bytes.subarray(0, length))).toBe(true);
      }),
      { numRuns: 60 },
    );
  },
);

test.each<[string, Buffer]>([
  ['a segment whose size is open', openWebm],
  ['sound whose writer did not know its size', Buffer.concat([hex('52494646 ffffffff'), Buffer.from('WAVEfmt ')])],
  ['a last box to the end of the file', Buffer.concat([makeMp4(), hex('00000000'), Buffer.from('mdat more')])],
  ['sound without a length', Buffer.concat([hex('fffb10c4'), Buffer.alloc(100)])],
])('what does not tell its length is not called cut: %s', async (_what, bytes) => {
  expect(await judge(bytes)).toBe(false);
});

test.each<[string, Buffer]>([
  ['a box smaller than its header', Buffer.concat([makeMp4(), hex('00000001'), Buffer.from('mdat')])],
  ['a box of many exabytes', Buffer.concat([makeMp4(), hex('00000001'), Buffer.from('mdat'), hex('ffffffffffffffff')])],
  ['a header without a segment', hex('1a45dfa3 81 00 ec 80 00 00 00 00 00 00 00 00')],
  ['a header of many exabytes', hex('1a45dfa3 01fffffffffffffe 00 00 00 00')],
])('a length that cannot be right is one: %s', async (_what, bytes) => {
  expect(await judge(bytes)).toBe(true);
});

test('any bytes behind any beginning are judged', async () => {
  const starts = Object.values(wholes).map((bytes) => bytes.subarray(0, 12));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 64 }), async (start, rest) => {
      expect(typeof (await judge(Buffer.concat([start, rest])))).toBe('boolean');
    }),
    { numRuns: 200 },
  );
});
