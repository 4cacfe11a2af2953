/** Boxes that hold others on the way to a duration (ISO/IEC 14496-12, 8.2 to 8.8). */
const containers: ReadonlySet<string> = new Set(['moov', 'trak', 'mdia', 'mvex']);
const MAX_BOXES = 10_000;

/**
 * Seconds of an MP4 or QuickTime film: the longest that its movie header or one of its tracks tells, so that one that lies
 * low gains nothing. Null where none of them does.
 */
export function measureFilm(bytes: Buffer): number | null {
  const found: number[] = [];
  let timescale = 0;
  const open = [{ at: 0, end: bytes.length }];
  for (let count = 0; count < MAX_BOXES; count += 1) {
    const range = open.at(-1);
    if (range === undefined) {
      break;
    }
    const box = readBox(bytes, range);
    if (box === null) {
      open.pop();
      continue;
    }
    range.at = box.end;
    if (containers.has(box.type)) {
      open.push({ at: box.start, end: box.end });
    } else if (box.type === 'mvhd' || box.type === 'mdhd') {
      const header = readHeader(bytes, box);
      timescale = box.type === 'mvhd' ? header.timescale : timescale;
      found.push(header.duration / header.timescale);
    } else if (box.type === 'mehd') {
      // Of a film in fragments, in the units of the movie header before it.
      found.push(readNumber(bytes, box.start + 4, bytes[box.start] === 1) / timescale);
    }
  }
  const seconds = Math.max(0, ...found.filter((one) => Number.isFinite(one)));
  return seconds > 0 ? seconds : null;
}

interface Box {
  type: string;
  start: number;
  end: number;
}

function readBox(bytes: Buffer, { at, end }: { at: number; end: number }): Box | null {
  if (at + 8 > end) {
    return null;
  }
  const size = bytes.readUInt32BE(at);
  const isLarge = size === 1;
  const length = isLarge ? readNumber(bytes, at + 8, true) : size === 0 ? end - at : size;
  const start = at + (isLarge ? 16 : 8);
  return length < start - at || at + length > end
    ? null
    : { type: bytes.toString('latin1', at + 4, at + 8), start, end: at + length };
}

/** Version 1 of the header has times of eight bytes. */
function readHeader(bytes: Buffer, { start }: Box): { timescale: number; duration: number } {
  const isLarge = bytes[start] === 1;
  const at = start + (isLarge ? 20 : 12);
  return { timescale: readNumber(bytes, at, false), duration: readNumber(bytes, at + 4, isLarge) };
}

/** NaN where the bytes end before. All ones say that it is not known. */
function readNumber(bytes: Buffer, at: number, isLarge: boolean): number {
  if (at + (isLarge ? 8 : 4) > bytes.length) {
    return Number.NaN;
  }
  const value = isLarge ? Number(bytes.readBigUInt64BE(at)) : bytes.readUInt32BE(at);
  return value === (isLarge ? Number(0xffffffffffffffffn) : 0xffffffff) ? Number.NaN : value;
}
