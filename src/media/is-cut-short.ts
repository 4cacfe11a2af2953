import { open, type FileHandle } from 'node:fs/promises';
import type { LocalFile } from './media-store.ts';

const HEAD_BYTES = 16;
/** What writers put behind the end of a picture is shorter. */
const TAIL_BYTES = 65_536;
const MAX_BOXES = 10_000;
const UNKNOWN_SIZES: ReadonlySet<number> = new Set([0, 0x7f_ff_ff_ff, 0xff_ff_ff_ff]);
/** The last chunk of a PNG has nothing in it, so its checksum is always this. */
const END_OF_PNG = Buffer.from('IEND\xae\x42\x60\x82', 'latin1');
const END_OF_JPEG = Buffer.from([0xff, 0xd9]);
const EBML = Buffer.from([0x1a, 0x45, 0xdf, 0xa3]);
const SEGMENT = Buffer.from([0x18, 0x53, 0x80, 0x67]);

/**
 * Does a file end before its own header says? Such a file looks like what it begins as and opens in no player, and would be
 * sold. False for what does not tell its length.
 */
export async function isCutShort({ path, sizeBytes }: Pick<LocalFile, 'path' | 'sizeBytes'>): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    return await isCut({ file, sizeBytes });
  } finally {
    await file.close();
  }
}

/** Of bytes that begin as a PNG, or of the last ones of it. */
export function isPngCut(bytes: Uint8Array): boolean {
  return !Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(END_OF_PNG);
}

interface Opened {
  file: FileHandle;
  sizeBytes: number;
}

async function isCut(opened: Opened): Promise<boolean> {
  const head = await read(opened, 0, HEAD_BYTES);
  const start = head.toString('latin1');
  if (start.startsWith('\x89PNG')) {
    return isPngCut(await readTail(opened));
  }
  if (start.startsWith('\xff\xd8\xff')) {
    return !(await readTail(opened)).includes(END_OF_JPEG);
  }
  if (start.startsWith('RIFF') && head.length >= 12) {
    const size = head.readUInt32LE(4);
    return !UNKNOWN_SIZES.has(size) && opened.sizeBytes < size + 8 - (size % 2);
  }
  if (head.subarray(0, 4).equals(EBML)) {
    return isSegmentCut(opened);
  }
  return start.slice(4, 8) === 'ftyp' && isBoxCut(opened);
}

/** The boxes of ISO/IEC 14496-12 stand one behind the other; each tells its size. So many of them that it is not counted: not known. */
async function isBoxCut(opened: Opened): Promise<boolean> {
  let at = 0;
  for (let count = 0; at + 8 <= opened.sizeBytes; count += 1) {
    const header = await read(opened, at, 16);
    const told = header.readUInt32BE(0);
    if (told === 0 || count === MAX_BOXES) {
      return false;
    }
    const size = told === 1 && header.length === 16 ? Number(header.readBigUInt64BE(8)) : told;
    if (size < 8) {
      return true;
    }
    at += size;
  }
  return at !== opened.sizeBytes;
}

/** WebM (RFC 8794, RFC 9559): a header, then one segment with all of the film, which may leave its size open. */
async function isSegmentCut(opened: Opened): Promise<boolean> {
  const header = readSize(await read(opened, EBML.length, 8));
  const at = EBML.length + (header?.length ?? 0) + (header?.value ?? 0);
  if (header === null || at > opened.sizeBytes) {
    return true;
  }
  const element = await read(opened, at, SEGMENT.length + 8);
  if (!element.subarray(0, SEGMENT.length).equals(SEGMENT)) {
    return true;
  }
  const size = readSize(element.subarray(SEGMENT.length));
  return size === null || (!size.isOpen && opened.sizeBytes < at + SEGMENT.length + size.length + size.value);
}

/** A number of one to eight bytes, whose first bit that is set says how many. All further bits set: the size is open. */
function readSize(bytes: Buffer): { value: number; length: number; isOpen: boolean } | null {
  const length = Math.clz32(bytes[0] ?? 0) - 23;
  if (length > 8 || bytes.length < length) {
    return null;
  }
  const bits = BigInt(7 * length);
  const value = BigInt(`0x${bytes.toString('hex', 0, length)}`) & ((1n << bits) - 1n);
  return { value: Number(value), length, isOpen: value === (1n << bits) - 1n };
}

function readTail(opened: Opened): Promise<Buffer> {
  return read(opened, Math.max(0, opened.sizeBytes - TAIL_BYTES), TAIL_BYTES);
}

/** Fewer bytes where the file ends before. */
async function read({ file }: Opened, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
  return buffer.subarray(0, bytesRead);
}
