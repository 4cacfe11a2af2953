import { openRandom } from '../seeded-random.ts';

/**
 * A film of 32 x 32 pixels as MP4 (ISO/IEC 14496-12) with H.264 (ITU-T H.264, baseline profile). Every macroblock is sent as
 * plain samples (I_PCM), which needs no encoder and which every decoder reads; each picture is one colour.
 */
const WIDTH = 32;
const HEIGHT = 32;
const MACROBLOCKS = (WIDTH / 16) * (HEIGHT / 16);
const TIMESCALE = 2;

export function drawFilm(seed: string, seconds: number): Buffer {
  const random = openRandom(seed, 'film');
  const count = Math.max(1, Math.min(20, Math.round(seconds * TIMESCALE)));
  const pictures = Array.from({ length: count }, (_, at) =>
    toSample(drawPicture([random.integer(40, 200), random.integer(60, 190), random.integer(60, 190)], at % 2)),
  );
  return Buffer.concat([
    box('ftyp', Buffer.from('isom\0\0\x02\0isomiso2avc1mp41', 'latin1')),
    toMoov(pictures),
    box('mdat', ...pictures),
  ]);
}

/** Bits, the most significant first. */
function openBits() {
  const bits: number[] = [];
  const put = (value: number, length: number): void => {
    for (let at = length - 1; at >= 0; at -= 1) {
      bits.push((value >>> at) & 1);
    }
  };
  /** Exp-Golomb, clause 9.1. */
  const ue = (value: number): void => {
    const length = Math.floor(Math.log2(value + 1));
    put(0, length);
    put(value + 1, length + 1);
  };
  const align = (): void => put(0, (8 - (bits.length % 8)) % 8);
  const end = (): Buffer => {
    put(1, 1);
    align();
    return toBytes(bits);
  };
  return { put, ue, align, end };
}

function toBytes(bits: readonly number[]): Buffer {
  const bytes = Buffer.alloc(bits.length / 8);
  for (const [at, bit] of bits.entries()) {
    bytes[at >> 3] = ((bytes[at >> 3] ?? 0) << 1) | bit;
  }
  return bytes;
}

/** Clause 7.3.2.1.1: baseline, level 1, frames only, no picture order. */
function drawSequenceSet(): Buffer {
  const bits = openBits();
  bits.put(0x67, 8);
  bits.put(66, 8);
  bits.put(0xc0, 8);
  bits.put(10, 8);
  for (const value of [0, 0, 2, 0]) {
    bits.ue(value);
  }
  bits.put(0, 1);
  bits.ue(WIDTH / 16 - 1);
  bits.ue(HEIGHT / 16 - 1);
  bits.put(0b1100, 4);
  return bits.end();
}

/** Clause 7.3.2.2, with the deblocking filter under the control of each slice. */
function drawPictureSet(): Buffer {
  const bits = openBits();
  bits.put(0x68, 8);
  bits.ue(0);
  bits.ue(0);
  bits.put(0, 2);
  for (const value of [0, 0, 0]) {
    bits.ue(value);
  }
  bits.put(0, 3);
  for (const value of [0, 0, 0]) {
    bits.ue(value);
  }
  bits.put(0b100, 3);
  return bits.end();
}

/** An IDR slice, clause 7.3.3, of macroblocks of type I_PCM (25). Two pictures in a row have different ids. */
function drawPicture([luma, blue, red]: readonly [number, number, number], idrId: number): Buffer {
  const bits = openBits();
  bits.put(0x65, 8);
  for (const value of [0, 7, 0]) {
    bits.ue(value);
  }
  bits.put(0, 4);
  bits.ue(idrId);
  bits.put(0, 2);
  bits.ue(0);
  bits.ue(1);
  for (let macroblock = 0; macroblock < MACROBLOCKS; macroblock += 1) {
    bits.ue(25);
    bits.align();
    for (const [value, times] of [
      [luma, 256],
      [blue, 64],
      [red, 64],
    ] as const) {
      for (let at = 0; at < times; at += 1) {
        bits.put(value, 8);
      }
    }
  }
  return bits.end();
}

/** A unit with its length before it. No sample is zero, so nothing in it looks like the start of another unit. */
function toSample(unit: Buffer): Buffer {
  return Buffer.concat([uint32(unit.length), unit]);
}

function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) {
    bytes.writeUInt32BE(value, at * 4);
  }
  return bytes;
}

function uint16(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [at, value] of values.entries()) {
    bytes.writeUInt16BE(value, at * 2);
  }
  return bytes;
}

function box(type: string, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([uint32(content.length + 8), Buffer.from(type, 'latin1'), content]);
}

/** A full box: version 0 and flags before the rest. */
function full(type: string, flags: number, ...parts: Buffer[]): Buffer {
  return box(type, uint32(flags), ...parts);
}

const MATRIX = uint32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
const FTYP_BYTES = 32;

function toMoov(pictures: readonly Buffer[]): Buffer {
  // The place of the pictures is part of the box whose size it depends on; the size does not depend on the place.
  const size = drawMoov(pictures, 0).length;
  return drawMoov(pictures, FTYP_BYTES + size + 8);
}

function drawMoov(pictures: readonly Buffer[], offset: number): Buffer {
  const duration = pictures.length;
  const header = Buffer.concat([uint32(0, 0, TIMESCALE, duration, 0x10000), uint16(0x100, 0), uint32(0, 0), MATRIX]);
  const track = Buffer.concat([uint32(0, 0, 1, 0, duration, 0, 0), uint16(0, 0, 0, 0), MATRIX]);
  const sides = uint32(WIDTH << 16, HEIGHT << 16);
  const handler = Buffer.concat([
    uint32(0),
    Buffer.from('vide', 'latin1'),
    uint32(0, 0, 0),
    Buffer.from('simulated\0'),
  ]);
  const media = box(
    'mdia',
    full('mdhd', 0, uint32(0, 0, TIMESCALE, duration), uint16(0x55c4, 0)),
    full('hdlr', 0, handler),
    box('minf', full('vmhd', 1, uint16(0, 0, 0, 0)), drawData(), drawTable(pictures, offset)),
  );
  return box(
    'moov',
    full('mvhd', 0, header, Buffer.alloc(24), uint32(2)),
    box('trak', full('tkhd', 7, track, sides), media),
  );
}

function drawData(): Buffer {
  return box('dinf', full('dref', 0, uint32(1), full('url ', 1)));
}

function drawTable(pictures: readonly Buffer[], offset: number): Buffer {
  const [sequence, picture] = [drawSequenceSet(), drawPictureSet()];
  const sets = Buffer.concat([uint16(sequence.length), sequence, Buffer.from([1]), uint16(picture.length), picture]);
  const config = box('avcC', Buffer.from([1, 66, 0xc0, 10, 0xff, 0xe1]), sets);
  const shape = Buffer.concat([uint16(WIDTH, HEIGHT), uint32(0x480000, 0x480000, 0), uint16(1), Buffer.alloc(32)]);
  const entry = box('avc1', Buffer.alloc(6), uint16(1), Buffer.alloc(16), shape, uint16(24, 0xffff), config);
  const sizes = pictures.map(({ length }) => length);
  return box(
    'stbl',
    full('stsd', 0, uint32(1), entry),
    full('stts', 0, uint32(1, pictures.length, 1)),
    full('stsc', 0, uint32(1, 1, pictures.length, 1)),
    full('stsz', 0, uint32(0, pictures.length, ...sizes)),
    full('stco', 0, uint32(1, offset)),
  );
}
