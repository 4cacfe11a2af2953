import type { Pool, PoolClient } from 'pg';
import type { Evidence } from '#resources/index.ts';
import { MAX_ATTEMPTS, type ItemState } from './batch-item.ts';

type Executor = Pick<Pool | PoolClient, 'query'>;

/** Who runs it: another process may have taken the call over, or another run of it may have begun. */
export interface Holder {
  callId: string;
  run: number;
  processId: string;
}

export interface ItemRow {
  item_index: number;
  state: ItemState;
  answer: string | null;
  problem: string | null;
  cause: string | null;
  cost_usd: string | null;
  asked: number;
  /** As JSON. */
  evidence: string | null;
}

const isRun = `EXISTS (SELECT FROM calls WHERE id = $1 AND state = 'fulfilling' AND runs = $2)`;
const isOurs = `EXISTS (SELECT FROM calls WHERE id = $1 AND state = 'fulfilling' AND runs = $2 AND process_id = $3)`;

const insert = `
  INSERT INTO batch_items (call_id, item_index)
  SELECT $1, item_index FROM generate_series(0, $4::int - 1) AS item_index WHERE ${isOurs}
  ON CONFLICT DO NOTHING`;

const reopen = `
  UPDATE batch_items SET state = 'open', attempts = 0, problem = NULL, cause = NULL, ended_in_run = NULL
  WHERE call_id = $1 AND state = 'failed' AND ended_in_run < $2 AND ${isOurs}`;

const selectOpen = `SELECT item_index, attempts FROM batch_items WHERE call_id = $1 AND state = 'open' ORDER BY item_index`;

/**
 * The items that are to be run: all but those that have their answer, and those that have failed in this run already, which
 * a process that died had begun.
 */
export async function openItems(
  executor: Executor,
  { callId, run, processId }: Holder,
  count: number,
): Promise<{ item_index: number; attempts: number }[]> {
  await executor.query(insert, [callId, run, processId, count]);
  await executor.query(reopen, [callId, run, processId]);
  const { rows } = await executor.query<{ item_index: number; attempts: number }>(selectOpen, [callId]);
  return rows;
}

const begin = `
  UPDATE batch_items SET attempts = attempts + 1
  WHERE call_id = $1 AND item_index = $4 AND state = 'open' AND attempts < ${MAX_ATTEMPTS} AND ${isOurs}
  RETURNING attempts`;

/** Counts an attempt before it is made. Its number; null: it is not ours to make, or it was made often enough. */
export async function beginAttempt(executor: Executor, holder: Holder, index: number): Promise<number | null> {
  const { callId, run, processId } = holder;
  const statement = { name: 'batch_items_begin', text: begin, values: [callId, run, processId, index] };
  const { rows } = await executor.query<{ attempts: number }>(statement);
  return rows[0]?.attempts ?? null;
}

export interface EndedAttempt {
  index: number;
  state: ItemState;
  /** Of an item that succeeded. */
  answer?: unknown;
  problem?: string;
  cause?: string;
  evidence: Evidence;
}

/** What came first stays; what an attempt has cost counts all the same. */
const end = `
  UPDATE batch_items SET
    cost_usd = CASE WHEN $8::numeric IS NULL THEN cost_usd ELSE coalesce(cost_usd, 0) + $8 END,
    asked = asked + $9,
    evidence = $10,
    ended_in_run = CASE WHEN state = 'open' AND $4 <> 'open' THEN $2 ELSE ended_in_run END,
    answer = CASE WHEN state = 'open' THEN $5 ELSE answer END,
    problem = CASE WHEN state = 'open' THEN $6 ELSE problem END,
    cause = CASE WHEN state = 'open' THEN $7 ELSE cause END,
    state = CASE WHEN state = 'open' THEN $4 ELSE state END
  WHERE call_id = $1 AND item_index = $3 AND ${isRun}`;

export async function endAttempt(executor: Executor, { callId, run }: Holder, ended: EndedAttempt): Promise<void> {
  const { index, state, answer, problem = null, cause = null, evidence } = ended;
  const text = answer === undefined ? null : JSON.stringify(answer);
  const kept = JSON.stringify(evidence);
  // PostgreSQL stores no NUL.
  const told = cause?.replaceAll('\0', '') ?? null;
  const values = [callId, run, index, state, text, problem, told, evidence.costUsd, evidence.attempts, kept];
  await executor.query({ name: 'batch_items_end', text: end, values });
}

const giveUp = `
  UPDATE batch_items SET state = 'failed', ended_in_run = $2, problem = coalesce(problem, $4), cause = coalesce(cause, $5)
  WHERE call_id = $1 AND state = 'open' AND ${isOurs}`;

/** Those that are still open: tried often enough, or the time of the run is over. */
export async function giveUpOpen(
  executor: Executor,
  { callId, run, processId }: Holder,
  why: { problem: string; cause: string },
): Promise<void> {
  await executor.query(giveUp, [callId, run, processId, why.problem, why.cause]);
}

const count = `
  SELECT count(*)::int AS total, (count(*) FILTER (WHERE state <> 'open'))::int AS ended,
    (count(*) FILTER (WHERE state = 'failed'))::int AS failed
  FROM batch_items WHERE call_id = $1`;

export async function countItems(
  executor: Executor,
  callId: string,
): Promise<{ total: number; ended: number; failed: number }> {
  const { rows } = await executor.query<{ total: number; ended: number; failed: number }>(count, [callId]);
  return rows[0] ?? { total: 0, ended: 0, failed: 0 };
}

const countLeft = `
  SELECT (json_array_length(input::json -> 'inputs')
    - (SELECT count(*) FROM batch_items WHERE call_id = $1 AND state = 'succeeded'))::int AS unanswered
  FROM calls WHERE id = $1`;

/** How many inputs another run of the call would have to run. */
export async function countUnanswered(executor: Executor, callId: string): Promise<number> {
  const { rows } = await executor.query<{ unanswered: number }>(countLeft, [callId]);
  return rows[0]?.unanswered ?? 0;
}

const selectAll = `
  SELECT item_index, state, answer, problem, cause, cost_usd::text AS cost_usd, asked, evidence
  FROM batch_items WHERE call_id = $1 ORDER BY item_index`;

export async function listItems(executor: Executor, callId: string): Promise<ItemRow[]> {
  return (await executor.query<ItemRow>(selectAll, [callId])).rows;
}

/** The log has it now. */
export async function noteLogged(executor: Executor, callId: string): Promise<void> {
  await executor.query(`UPDATE batch_items SET cost_usd = NULL, asked = 0, evidence = NULL WHERE call_id = $1`, [
    callId,
  ]);
}

export async function forgetItems(executor: Executor, callId: string): Promise<void> {
  await executor.query('DELETE FROM batch_items WHERE call_id = $1', [callId]);
}

/** The same of calls for which nothing more is run, some at a time. */
export async function forgetEndedItems(executor: Executor, limit: number): Promise<void> {
  await executor.query(
    `DELETE FROM batch_items WHERE call_id IN (
       SELECT i.call_id FROM batch_items i JOIN calls c ON c.id = i.call_id
       WHERE c.state IN ('owed', 'refunded') AND c.input IS NULL LIMIT $1)`,
    [limit],
  );
}
