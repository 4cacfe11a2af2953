import type { Pool, PoolClient } from 'pg';
import type { StoredOffer, StoredPayment } from '#payments/index.ts';
import { PAID_BY_OTHERS } from '../adopt-transfer.ts';
import type { PaidCall } from '../call-record.ts';
import { isGivenUp } from '../give-up-owed.ts';
import type { State } from '../transitions.ts';

/** How a call ended without an answer, and what the chain said of its payment then. */
export interface Ended {
  code: string;
  detail: string;
  next: string;
  /** Absent: could not be found out. */
  charged?: boolean;
}

/** What the rows of a call behind a 202 tell of it. */
export interface LongRow {
  id: string;
  state: State;
  reason: string | null;
  transaction: string | null;
  created_at: Date;
  updated_at: Date;
  settled_at: Date | null;
  payment: StoredPayment;
  offer: StoredOffer;
  version_id: string;
  record: string | null;
  buyer_proofs: string[];
  has_answer: boolean;
  can_rerun: boolean;
  is_given_up: boolean;
  resource: string;
  is_pinned: boolean;
  token_digest: string;
  progress: { percent: number | null; note: string | null } | null;
  progress_at: Date | null;
  cancelled_at: Date | null;
  ended: Ended | null;
}

const select = `
  SELECT id, state, reason, transaction, created_at, updated_at, settled_at, payment, offer, version_id, record, buyer_proofs,
    answer IS NOT NULL AS has_answer,
    input IS NOT NULL OR coalesce(reason, '') = '${PAID_BY_OTHERS}' AS can_rerun, ${isGivenUp} AS is_given_up,
    resource, is_pinned, token_digest, progress, progress_at, cancelled_at, ended
  FROM calls JOIN long_calls ON call_id = id WHERE id = $1`;

/** Null: there is none under this id, or it is not carried out behind a 202. */
export async function findLong(executor: Pool | PoolClient, callId: string): Promise<LongRow | null> {
  const found = await executor.query<LongRow>({ name: 'long_calls_find', text: select, values: [callId] });
  return found.rows[0] ?? null;
}

interface NewLong {
  resource: string;
  tokenDigest: string;
}

const insert = `
  INSERT INTO long_calls (call_id, resource, is_pinned, token_digest) VALUES ($1, $2, $3, $4)`;

export async function insertLong(executor: Pool, call: PaidCall, long: NewLong): Promise<void> {
  const isPinned = call.version.isPinned === true;
  const values = [call.callId, long.resource, isPinned, long.tokenDigest];
  await executor.query(insert, values);
}

/** Whoever is answered at once is told no secret to judge a callback by, and needs none. */
export async function wantCallback(executor: Pool, callId: string, url: string): Promise<void> {
  const text = 'UPDATE long_calls SET callback_url = $2, callback_due_at = now() WHERE call_id = $1';
  await executor.query(text, [callId, url]);
}

const noteEnding = `
  UPDATE long_calls SET ended = $2
  WHERE call_id = $1 AND (ended IS NULL OR ended -> 'charged' IS NULL)
    AND EXISTS (SELECT FROM calls WHERE id = $1 AND state IN ('failed', 'refused', 'unpaid'))`;

/** Only of a call that has ended so: another process may have taken it over meanwhile. */
export async function noteEnded(executor: Pool | PoolClient, callId: string, ended: Ended): Promise<void> {
  await executor.query(noteEnding, [callId, JSON.stringify(ended)]);
}
