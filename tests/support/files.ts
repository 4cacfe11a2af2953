import { deflateSync } from 'node:zlib';
import { PNG } from 'pngjs';

/** A picture of this size; `canary` stands in its bytes. */
export function makePng(width = 4, height = 4, canary = ''): Buffer {
  const png = PNG.sync.write(new PNG({ width, height }));
  // Behind the end of the picture: decoders stop there.
  return Buffer.concat([png, Buffer.from(canary)]);
}

/** Silence, 8,000 bytes a second. */
export function makeWav(seconds = 1): Buffer {
  const samples = Math.round(seconds * 8_000);
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + samples, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(8_000, 24);
  header.writeUInt32LE(8_000, 28);
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34);
  header.write('data', 36);
  header.writeUInt32LE(samples, 40);
  return Buffer.concat([header, Buffer.alloc(samples, 0x80)]);
}

/** A film without pictures that says how long it is (ISO/IEC 14496-12: `ftyp`, `moov` with `mvhd`). */
export function makeMp4(seconds = 2): Buffer {
  const mvhd = Buffer.alloc(100);
  mvhd.writeUInt32BE(1_000, 12);
  mvhd.writeUInt32BE(seconds * 1_000, 16);
  const brands = Buffer.from('isom\0\0\x02\0isomiso2mp41', 'latin1');
  return Buffer.concat([toBox('ftyp', brands), toBox('moov', toBox('mvhd', mvhd)), toBox('mdat', Buffer.alloc(8))]);
}

function toBox(type: string, content: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(content.length + 8, 0);
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, content]);
}

/** `packed`: its pages stand in a compressed stream of objects. */
export function makePdf(pages = 1, { packed = false, says = pages } = {}): Buffer {
  const page = '<< /Type /Page /Parent 2 0 R >>\n';
  const tree = `<< /Type /Pages /Kids [] /Count ${says} >>\n${page.repeat(pages)}`;
  const body = packed
    ? Buffer.concat([
        Buffer.from('3 0 obj << /Type /ObjStm /Filter /FlateDecode >>\nstream\r\n'),
        deflateSync(tree),
        Buffer.from('\nendstream endobj\n'),
      ])
    : Buffer.from(tree);
  return Buffer.concat([Buffer.from('%PDF-1.7\n'), body, Buffer.from('%%EOF\n')]);
}

export function toDataUrl(contentType: string, bytes: Buffer): string {
  return `data:${contentType};base64,${bytes.toString('base64')}`;
}
