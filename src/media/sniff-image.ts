export type ImageType = 'image/png' | 'image/jpeg' | 'image/webp' | 'image/gif';

export interface SniffedImage {
  contentType: ImageType;
  /** Null where the header does not hold them where they belong. */
  width: number | null;
  height: number | null;
}

interface Format {
  contentType: ImageType;
  matches(bytes: Buffer): boolean;
  measure(bytes: Buffer): [number, number] | null;
}

const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

const formats: readonly Format[] = [
  {
    contentType: 'image/png',
    matches: (bytes) => bytes.subarray(0, 8).equals(PNG_SIGNATURE),
    measure: (bytes) =>
      bytes.length >= 24 && ascii(bytes, 12, 4) === 'IHDR' ? [bytes.readUInt32BE(16), bytes.readUInt32BE(20)] : null,
  },
  {
    contentType: 'image/jpeg',
    matches: (bytes) => bytes.length > 3 && bytes.readUIntBE(0, 3) === 0xffd8ff,
    measure: measureJpeg,
  },
  {
    contentType: 'image/webp',
    matches: (bytes) => ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 4) === 'WEBP',
    measure: measureWebp,
  },
  {
    contentType: 'image/gif',
    matches: (bytes) => /^GIF8[79]a$/.test(ascii(bytes, 0, 6)),
    measure: (bytes) => (bytes.length >= 10 ? [bytes.readUInt16LE(6), bytes.readUInt16LE(8)] : null),
  },
];

/** What the bytes are, by the bytes alone; null for anything but PNG, JPEG, WebP and GIF (SVG can hold scripts). */
export function sniffImage(bytes: Buffer): SniffedImage | null {
  const format = formats.find((candidate) => candidate.matches(bytes));
  if (!format) {
    return null;
  }
  const [width, height] = format.measure(bytes) ?? [0, 0];
  const isMeasured = width > 0 && height > 0 && width <= 0x7fffffff && height <= 0x7fffffff;
  return { contentType: format.contentType, width: isMeasured ? width : null, height: isMeasured ? height : null };
}

/** Walks the segments to the first start of frame (ITU T.81, B.2.2); each step moves on by at least two bytes. */
function measureJpeg(bytes: Buffer): [number, number] | null {
  let offset = 2;
  while (offset + 9 <= bytes.length && bytes[offset] === 0xff) {
    const marker = bytes[offset + 1] ?? 0;
    if (marker === 0xff) {
      offset += 1;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) {
      return [bytes.readUInt16BE(offset + 7), bytes.readUInt16BE(offset + 5)];
    }
    offset += 2 + Math.max(2, bytes.readUInt16BE(offset + 2));
  }
  return null;
}

/** The three forms of RFC 9649: lossy, lossless, extended. */
function measureWebp(bytes: Buffer): [number, number] | null {
  const form = ascii(bytes, 12, 4);
  if (bytes.length < 30) {
    return null;
  }
  if (form === 'VP8 ' && bytes.readUIntBE(23, 3) === 0x9d012a) {
    return [bytes.readUInt16LE(26) & 0x3fff, bytes.readUInt16LE(28) & 0x3fff];
  }
  if (form === 'VP8L' && bytes[20] === 0x2f) {
    const packed = bytes.readUInt32LE(21);
    return [(packed & 0x3fff) + 1, ((packed >>> 14) & 0x3fff) + 1];
  }
  return form === 'VP8X' ? [bytes.readUIntLE(24, 3) + 1, bytes.readUIntLE(27, 3) + 1] : null;
}

function ascii(bytes: Buffer, start: number, length: number): string {
  return bytes.toString('latin1', start, start + length);
}
