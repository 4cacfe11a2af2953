import fc from 'fast-check';
import { PNG } from 'pngjs';
import { expect, test } from 'vitest';
import { sniffImage } from './sniff-image.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const pad = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(30)]);
const webp = (form: string, payload: string) =>
  pad(Buffer.concat([Buffer.from('RIFF\0\0\0\0WEBP' + form + '\0\0\0\0', 'latin1'), hex(payload)]));

test.each([
  ['PNG', PNG.sync.write(new PNG({ width: 640, height: 3 })), 'image/png', 640, 3],
  ['GIF', pad(Buffer.concat([Buffer.from('GIF89a'), hex('4001 f000')])), 'image/gif', 320, 240],
  ['JPEG', pad(hex('ffd8 ffe0 0004 0000 ffc0 0011 08 0064 00c8 03')), 'image/jpeg', 200, 100],
  ['progressive JPEG after a table', pad(hex('ffd8 ffc4 0003 00 ff ffc2 0011 08 0001 0002')), 'image/jpeg', 2, 1],
  ['WebP lossy', webp('VP8 ', '000000 9d012a 2003 5802'), 'image/webp', 800, 600],
  ['WebP lossless', webp('VP8L', '2f 1fc31500'), 'image/webp', 800, 88],
  ['WebP extended', webp('VP8X', '00000000 1f0300 570200'), 'image/webp', 800, 600],
] as const)('the bytes of a %s tell type and size', (...[, bytes, contentType, width, height]) => {
  expect(sniffImage(bytes)).toEqual({ contentType, width, height });
});

test.each([
  ['cut PNG', hex('89504e470d0a1a0a0000')],
  ['JPEG without a frame', pad(hex('ffd8 ffe0 ffff'))],
  ['short GIF', Buffer.from('GIF87a')],
  ['short WebP', Buffer.from('RIFF\0\0\0\0WEBPVP8 ', 'latin1')],
  ['PNG of no width', pad(hex('89504e470d0a1a0a 0000000d 49484452 00000000 00000001'))],
])('%s is recognised and has no size', (_name, bytes) => {
  expect(sniffImage(bytes)).toMatchObject({ width: null, height: null });
});

test.each(['', 'BM', '<svg/>', '%PDF-1.7', 'RIFF\0\0\0\0WAVE', 'GIF90a'])('the bytes %j are no image', (text) => {
  expect(sniffImage(Buffer.from(text, 'latin1'))).toBeNull();
});

test('reading hostile image headers ends soon and never throws', () => {
  const starts = [
    hex('ffd8ff'),
    hex('89504e470d0a1a0a'),
    Buffer.from('RIFF\0\0\0\0WEBPVP8X', 'latin1'),
    Buffer.from('GIF89a'),
  ];
  fc.assert(
    fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 400 }), (start, rest) => {
      expect(sniffImage(Buffer.concat([start, rest]))).not.toBeUndefined();
    }),
    { numRuns: 2_000 },
  );
  expect(sniffImage(Buffer.concat([hex('ffd8'), Buffer.alloc(1_000_000, 0xff)]))).toMatchObject({ width: null });
});
