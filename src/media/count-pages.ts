import { promisify } from 'node:util';
import { inflate } from 'node:zlib';

const inflateAsync = promisify(inflate);

/** Of all compressed objects of one file: a small file can hold a very large one. */
const MAX_INFLATED_BYTES = 20_000_000;
const MAX_STREAMS = 2_000;
const MAX_HEADER = 2_000;

/**
 * Pages of a PDF by its page objects and by the counts of its page tree (ISO 32000-1, 7.7.3), whichever is more, so that a
 * count that lies low gains nothing. Objects may stand in compressed streams (7.5.7). Null where no page is found, or more
 * would have to be unpacked than is.
 */
export async function countPages(bytes: Buffer): Promise<number | null> {
  const unpacked = await unpackObjects(bytes);
  if (unpacked === null) {
    return null;
  }
  const pages = [bytes.toString('latin1'), ...unpacked].map(countIn);
  const found = pages.reduce((sum, { objects }) => sum + objects, 0);
  const counted = Math.max(0, ...pages.map(({ count }) => count));
  return Math.max(found, counted) || null;
}

function countIn(text: string): { objects: number; count: number } {
  let objects = 0;
  for (const _page of text.matchAll(/\/Type\s*\/Page(?![A-Za-z])/g)) {
    objects += 1;
  }
  let count = 0;
  for (const [, digits] of text.matchAll(/\/Count\s+(\d{1,9})/g)) {
    count = Math.max(count, Number(digits));
  }
  return { objects, count: /\/Type\s*\/Pages/.test(text) ? count : 0 };
}

async function unpackObjects(bytes: Buffer): Promise<string[] | null> {
  const unpacked: string[] = [];
  let left = MAX_INFLATED_BYTES;
  let streams = 0;
  for (let at = bytes.indexOf('/ObjStm'); at !== -1; at = bytes.indexOf('/ObjStm', at + 1)) {
    streams += 1;
    if (streams > MAX_STREAMS) {
      return null;
    }
    const header = bytes.subarray(at, at + MAX_HEADER + 'stream'.length);
    const begin = header.indexOf('stream');
    if (begin === -1) {
      continue;
    }
    const packed = bytes.subarray(at + begin + 'stream'.length);
    const end = packed.indexOf('endstream');
    const text = await unpack(end === -1 ? packed : packed.subarray(0, end), left);
    if (text === null) {
      return null;
    }
    left -= text.length;
    unpacked.push(text);
  }
  return unpacked;
}

/** Null where it is larger than may be unpacked; empty where it is packed in another way. */
async function unpack(stream: Buffer, maxOutputLength: number): Promise<string | null> {
  const start = stream[0] === 0x0d ? 2 : 1;
  try {
    const inflated: Buffer = await inflateAsync(stream.subarray(start), {
      maxOutputLength: Math.max(1, maxOutputLength),
    });
    return inflated.toString('latin1');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? null : '';
  }
}
