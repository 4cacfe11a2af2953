import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const RANDOM_BYTES = 16;
const AT_ONCE = 256;

/** Asking the system for randomness costs more than the rest of an id, so it is asked for many at once; each byte serves one. */
const pool = new Uint8Array(RANDOM_BYTES * AT_ONCE);
let taken = pool.length;
const last = { msecs: 0, seq: 0 };

/** Time-ordered UUID (RFC 9562, version 7): index-friendly and unguessable enough for names, never for secrets. */
export function newId(): string {
  if (taken === pool.length) {
    randomFillSync(pool);
    taken = 0;
  }
  const random = pool.subarray(taken, taken + RANDOM_BYTES);
  taken += RANDOM_BYTES;
  const now = Date.now();
  if (now > last.msecs) {
    // Begins low, so that the ids of one millisecond count up and do not run over.
    last.seq = new DataView(random.buffer, random.byteOffset).getUint32(6) & 0x7fff_ffff;
    last.msecs = now;
  } else {
    last.seq += 1;
  }
  return v7({ random, ...last });
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** An id that was sent, in the form in which ids are written here; letters of either case name the same (RFC 9562). */
export function parseUuid(text: string): string | null {
  const written = text.toLowerCase();
  return isUuid(written) ? written : null;
}

/** In the form in which ids are written here: small letters, with hyphens. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
