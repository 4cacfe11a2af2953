import { LONG_RETENTION_SECONDS } from './long-runs/retention.ts';
import { forgetEndedItems } from './batches/batch-rows.ts';
import type { GatewayDeps } from './gateway-deps.ts';

/** A statement holds its locks to its end, so each takes a bounded number of rows. */
const BATCH = 5_000;
const RELEASED_KEPT_SECONDS = 86_400;

/**
 * What bought nothing may still be sent by whoever reads it, so what was signed is deleted. A paid one is public on the
 * chain, and the same payment is recognised by it.
 */
const forget = `
  UPDATE calls SET answer = NULL, input = CASE WHEN answer IS NULL THEN input END,
    payment = CASE WHEN state IN ('unpaid', 'refused', 'failed') THEN payment - 'payload' - 'raw' ELSE payment - 'raw' END
  WHERE id IN (
    SELECT id FROM calls
    WHERE (answer IS NOT NULL OR payment ? 'raw')
      AND state IN ('delivered', 'owed', 'refunded', 'unpaid', 'refused', 'failed')
      AND updated_at < now() - CASE WHEN runs_long THEN greatest($1, ${LONG_RETENTION_SECONDS}) ELSE $1 END * interval '1 second'
    LIMIT $2)`;

/** Claims that were released hold nothing; what they cost is in the usage log. */
const prune = `
  DELETE FROM calls WHERE id IN (
    SELECT id FROM calls
    WHERE state IN ('refused', 'failed') AND updated_at < now() - $1 * interval '1 second'
    LIMIT $2)`;

/** Nobody has asked for what is owed for this long: its buyer's request would bring the input again. */
const OWED_KEPT_SECONDS = 30 * 86_400;
const forgetInputs = `
  UPDATE calls SET input = NULL WHERE id IN (
    SELECT id FROM calls
    WHERE state = 'owed' AND input IS NOT NULL AND updated_at < now() - $1 * interval '1 second'
    LIMIT $2)`;

/**
 * A run that was given up may have kept something of its stream after the whole answer of another one was stored; and what is
 * owed is made anew, so that what came of the run before is void.
 */
const forgetStreams = `
  DELETE FROM call_stream_parts WHERE (call_id, run) IN (
    SELECT s.call_id, s.run FROM call_stream_parts s JOIN calls c ON c.id = s.call_id
    WHERE (c.state <> 'fulfilling' OR s.run < c.runs) AND c.updated_at < now() - interval '1 minute'
    LIMIT $1)`;

/** Where a request came from matters for a day. */
const forgetClients = `
  UPDATE calls SET client = NULL WHERE id IN (
    SELECT id FROM calls
    WHERE client IS NOT NULL AND state IN ('unpaid', 'failed') AND updated_at < now() - interval '1 day'
    LIMIT $1)`;

/**
 * Answers and payments of calls that have ended are kept for their retention only, from the last change of the call, because
 * an answer may be made long after its payment; receipt, record and the claim stay.
 * @returns how many calls were forgotten in part or altogether.
 */
export async function expireAnswers(deps: Pick<GatewayDeps, 'database'>, retentionSeconds: number): Promise<number> {
  const { system } = deps.database;
  const forgotten = await system.query(forget, [retentionSeconds, BATCH]);
  await system.query(forgetClients, [BATCH]);
  await system.query(forgetStreams, [BATCH]);
  await system.query(forgetInputs, [Math.max(OWED_KEPT_SECONDS, retentionSeconds), BATCH]);
  await forgetEndedItems(system, BATCH);
  const pruned = await system.query(prune, [Math.max(RELEASED_KEPT_SECONDS, retentionSeconds), BATCH]);
  return (forgotten.rowCount ?? 0) + (pruned.rowCount ?? 0);
}
