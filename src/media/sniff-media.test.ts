import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sniffMedia } from './sniff-media.ts';
import type { TextType } from './sniff-text.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const latin = (text: string) => Buffer.from(text, 'latin1');
const pad = (bytes: Buffer, length = 30) => Buffer.concat([bytes, Buffer.alloc(length)]);
const webp = (form: string, payload: string) =>
  pad(Buffer.concat([latin('RIFF\x24\0\0\0WEBP' + form + '\x18\0\0\0'), hex(payload)]));
const box = (type: string, payload: Buffer) => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(payload.length + 8);
  return Buffer.concat([length, latin(type), payload]);
};
const brand = (name: string) => pad(box('ftyp', latin(`${name}\0\0\0\0${name}`)), 200);
const ogg = pad(Buffer.concat([latin('OggS\0\x02'), Buffer.alloc(20), hex('0113'), latin('OpusHead\x01\x01')]), 100);
const mp3 = Buffer.concat(Array.from({ length: 4 }, () => pad(hex('fffb9064'), 413)));
const png = PNG.sync.write(new PNG({ width: 640, height: 3 }));

let folder: string;
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farebox-sniff-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function sniff(bytes: Uint8Array, text: TextType | null = null) {
  const path = join(folder, `f${(count += 1)}`);
  await writeFile(path, bytes);
  return sniffMedia(path, text);
}

test.each([
  ['PNG', png, 'image/png', 640, 3],
  ['GIF', pad(Buffer.concat([Buffer.from('GIF89a'), hex('4001 f000')])), 'image/gif', 320, 240],
  ['JPEG', pad(hex('ffd8 ffe0 0004 0000 ffc0 0011 08 0064 00c8 03')), 'image/jpeg', 200, 100],
  ['progressive JPEG after a table', pad(hex('ffd8 ffc4 0003 00 ffc2 0011 08 0001 0002')), 'image/jpeg', 2, 1],
  ['WebP lossy', webp('VP8 ', '000000 9d012a 2003 5802'), 'image/webp', 800, 600],
  ['WebP lossless', webp('VP8L', '2f 1fc31500'), 'image/webp', 800, 88],
  ['WebP extended', webp('VP8X', '00000000 1f0300 570200'), 'image/webp', 800, 600],
] as const)('the bytes of a %s tell type and size', async (...[, bytes, contentType, width, height]) => {
  expect(await sniff(bytes)).toEqual({ kind: 'image', contentType, width, height });
});

test.each([
  ['WAV', pad(latin('RIFF\x24\0\0\0WAVEfmt \x10\0\0\0')), 'audio', 'audio/wav'],
  ['MP3 with a tag', Buffer.concat([latin('ID3\x03\0\0\0\0\0\0'), mp3]), 'audio', 'audio/mpeg'],
  ['MP3', mp3, 'audio', 'audio/mpeg'],
  ['Ogg Opus', ogg, 'audio', 'audio/ogg'],
  ['FLAC', pad(latin('fLaC\0\0\0\x22')), 'audio', 'audio/flac'],
  ['AAC', pad(hex('fff15080 0bbffc')), 'audio', 'audio/aac'],
  ['M4A', brand('M4A '), 'audio', 'audio/mp4'],
  ['MP4', brand('isom'), 'video', 'video/mp4'],
  ['QuickTime', brand('qt  '), 'video', 'video/quicktime'],
  ['WebM', pad(hex('1a45dfa3 87 4282 84 7765626d'), 100), 'video', 'video/webm'],
  ['PDF', latin('%PDF-1.7\n%âãÏÓ\n1 0 obj\n'), 'file', 'application/pdf'],
] as const)('the bytes of a %s tell its type', async (...[, bytes, kind, contentType]) => {
  expect(await sniff(bytes)).toEqual({ kind, contentType, width: null, height: null });
});

test.each([
  ['cut PNG', png.subarray(0, 20)],
  ['JPEG without a frame', pad(hex('ffd8 ffe0 ffff'))],
  ['short GIF', Buffer.from('GIF87a')],
  ['PNG of no width', pad(hex('89504e470d0a1a0a 0000000d 49484452 00000000 00000001'))],
])('%s has no size', async (_name, bytes) => {
  expect((await sniff(bytes)) ?? { width: null, height: null }).toMatchObject({ width: null, height: null });
});

test.each([
  ['nothing', ''],
  ['a bitmap', 'BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0'],
  ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'],
  ['SVG behind an XML declaration', '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'],
  ['HTML', '<!doctype html><script>alert(1)</script>'],
  ['HTML behind white space', '\n\n  <html><body onload="alert(1)">'],
  ['a ZIP', 'PK\x03\x04\x14\0\0\0'],
  ['a program', '\x7fELF\x02\x01\x01'],
  ['a cut RIFF', 'RIFF\0\0\0\0WA'],
])('%s is not kept, whatever text it is said to be', async (_name, text) => {
  for (const type of [null, 'text/plain', 'application/json'] as const) {
    expect(await sniff(latin(text), text === '' ? null : type)).toBeNull();
  }
});

test('plain text is kept only where it is expected, in UTF-8 and without control characters', async () => {
  const text = Buffer.from('Grüße,\tein Satz.\r\n');
  expect(await sniff(text)).toBeNull();
  expect(await sniff(text, 'text/plain')).toMatchObject({ kind: 'file', contentType: 'text/plain' });
  expect(await sniff(Buffer.from('a;b\n1;2\n'), 'text/csv')).toMatchObject({ contentType: 'text/csv' });
  expect(await sniff(Buffer.from('{"a":[1]}'), 'application/json')).toMatchObject({ contentType: 'application/json' });
  expect(await sniff(Buffer.from('{"a":[1'), 'application/json')).toBeNull();
  expect(await sniff(latin('Gr\xfc\xdfe'), 'text/plain')).toBeNull();
  expect(await sniff(Buffer.from('a\0b'), 'text/plain')).toBeNull();
  expect(await sniff(Buffer.concat([Buffer.from('ü'), hex('c3')]), 'text/plain')).toBeNull();
});

test('reading hostile beginnings ends soon and never throws', async () => {
  const starts = [
    hex('ffd8ff'),
    hex('89504e470d0a1a0a'),
    latin('RIFF\0\0\0\0WEBPVP8X'),
    Buffer.from('GIF89a'),
    hex('1a45dfa3'),
    latin('ID3\x03\0\0\x7f\x7f\x7f\x7f'),
    latin('OggS\0\x02'),
    latin('\0\0\0\x18ftypavif'),
    latin('%PDF-'),
  ];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 400 }), async (start, rest) => {
      expect(await sniff(Buffer.concat([start, rest]), 'text/plain')).not.toBeUndefined();
    }),
    { numRuns: 300 },
  );
  expect(await sniff(Buffer.concat([hex('ffd8ff'), Buffer.alloc(1_000_000, 0xff)]))).toMatchObject({ width: null });
});
