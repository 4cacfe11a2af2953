import { createHmac } from 'node:crypto';
import type { Tx } from '#database/index.ts';
import { Problem } from '#kit/index.ts';
import type { MediaDeps } from './media-deps.ts';

/** Uploads of a few bytes cost a row and a file each: none counts as less than this. */
const LEAST_BYTES = 65_536;
/** One sender may hold at most this part of what all uploads may hold together. */
const SENDERS_PART = 10;
/** For the store, after the last byte has come. */
const STORED_WITHIN_MS = 300_000;

export interface Reservation {
  idHash: string;
  /** UTC, as `YYYY-MM-DD`. */
  day: string;
  bytes: number;
}

/** What an upload counts as. */
export function toCounted(bytes: number): number {
  return Math.max(bytes, LEAST_BYTES);
}

/**
 * Sets aside what an upload may take at most, before the first byte of it is read: what is being received at once counts
 * like what is there. Exact over all processes. Throws `rate_limited` where it does not fit.
 */
export async function reserveUpload(
  deps: MediaDeps,
  { idHash, sender, maxBytes }: { idHash: string; sender: string; maxBytes: number },
): Promise<Reservation> {
  const { uploads, clock } = deps;
  const bytes = toCounted(maxBytes);
  const now = new Date(clock.now());
  const day = now.toISOString().slice(0, 10);
  const senderHash = createHmac('sha256', deps.signingKey).update(`farebox upload\n${sender}`).digest('base64url');
  await deps.database.transaction(async (tx) => {
    // One after the other: the sums below are of what all others have reserved.
    await tx.query(`SELECT pg_advisory_xact_lock(hashtext('media.uploads'))`);
    const held = await readHeld(tx, senderHash);
    if (held.ofSender + bytes > uploads.totalBytes / SENDERS_PART || held.ofAll + bytes > uploads.totalBytes) {
      throw busy('More uploads than this are not kept at one time', 60);
    }
    const counted = await tx.query(
      `INSERT INTO media_upload_days (day, bytes) SELECT $1::date, $2::bigint WHERE $2::bigint <= $3::bigint
       ON CONFLICT (day) DO UPDATE SET bytes = media_upload_days.bytes + $2
       WHERE media_upload_days.bytes + $2 <= $3`,
      [day, bytes, uploads.dailyBytes],
    );
    if (counted.rowCount !== 1) {
      throw busy('Enough was uploaded for today', secondsUntilTomorrow(now));
    }
    await tx.query(
      `INSERT INTO media_uploads (id_hash, sender, bytes, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)`,
      [idHash, senderHash, bytes, now, new Date(now.getTime() + uploads.receivedWithinMs + STORED_WITHIN_MS)],
    );
  });
  return { idHash, day, bytes };
}

/** What was set aside and not used counts no more. `usedBytes`: what was received, whatever became of it. */
export async function settleReservation(
  { database }: Pick<MediaDeps, 'database'>,
  { idHash, day, bytes }: Reservation,
  { usedBytes, isKept }: { usedBytes: number; isKept: boolean },
): Promise<void> {
  const unused = bytes - toCounted(usedBytes);
  await database.system.query('UPDATE media_upload_days SET bytes = greatest(0, bytes - $2) WHERE day = $1', [
    day,
    unused,
  ]);
  if (!isKept) {
    await database.system.query('DELETE FROM media_uploads WHERE id_hash = $1 AND object_id IS NULL', [idHash]);
  }
}

async function readHeld(tx: Tx, senderHash: string): Promise<{ ofAll: number; ofSender: number }> {
  const { rows } = await tx.query<{ all: string; sender: string }>(
    `SELECT coalesce(sum(bytes), 0) AS all, coalesce(sum(bytes) FILTER (WHERE sender = $1), 0) AS sender FROM media_uploads`,
    [senderHash],
  );
  return { ofAll: Number(rows[0]?.all), ofSender: Number(rows[0]?.sender) };
}

function busy(detail: string, seconds: number): Problem {
  return new Problem('rate_limited', {
    detail: `${detail}; wait ${seconds} s. Or give the URL of the file to the resource instead.`,
    headers: { 'Retry-After': String(seconds), Connection: 'close' },
  });
}

function secondsUntilTomorrow(now: Date): number {
  const tomorrow = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1);
  return Math.max(1, Math.ceil((tomorrow - now.getTime()) / 1000));
}
