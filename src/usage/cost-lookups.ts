import type { Tx } from '#database/index.ts';

type Executor = Pick<Tx, 'query'>;

/** A run whose cost its provider is asked for. */
export interface CostLookup {
  callId: string;
  generationId: string;
  ownerId: string;
  /** Whose key paid; null where nobody noted it. */
  keySource: 'own' | 'platform' | null;
  /** Asked for so long that nobody will tell it any more. */
  isLate: boolean;
}

/** A provider stores what a generation cost a moment after its answer; what it has not told in a day it never will. */
const TAKE = `
  UPDATE usage_cost_lookups AS taken
  SET tries = tries + 1, next_at = now() + least(interval '1 hour', interval '1 second' * 2 ^ least(tries, 12))
  WHERE (call_id, generation_id) IN (
    SELECT call_id, generation_id FROM usage_cost_lookups WHERE done_at IS NULL AND next_at <= now()
    ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING call_id AS "callId", generation_id AS "generationId", owner_id AS "ownerId", key_source AS "keySource",
    asked_since < now() - interval '1 day' AS "isLate"`;

/** Those that are due; each waits twice as long as before until it is due again, up to an hour. */
export async function takeCostLookups(system: Executor, limit: number): Promise<CostLookup[]> {
  return (await system.query<CostLookup>(TAKE, [limit])).rows;
}

const CLOSE = `
  WITH done AS (
    UPDATE usage_cost_lookups SET done_at = now() WHERE call_id = $1 AND generation_id = $2 AND done_at IS NULL
    RETURNING call_id),
  others AS (
    SELECT count(*) AS open FROM usage_cost_lookups WHERE call_id = $1 AND generation_id <> $2 AND done_at IS NULL)
  UPDATE x402_prompt_template_usage_logs AS logged
  SET cost_usd = CASE WHEN $3::numeric IS NULL THEN cost_usd ELSE coalesce(cost_usd, 0) + $3::numeric END,
      cost_state = CASE WHEN $3::numeric IS NULL OR cost_state = 'unknown' THEN 'unknown'
        WHEN others.open > 0 THEN 'asked' ELSE 'found' END
  FROM done, others WHERE logged.call_id = done.call_id`;

// Whoever closes another run of the same call at once has to see this one closed, and says then that all are found.
const LOCK = 'SELECT FROM x402_prompt_template_usage_logs WHERE call_id = $1 FOR UPDATE';

/**
 * What the run did cost is added to its call, and so to all sums of it; null: nobody will tell. Done once, however often it
 * is called. @returns false where it was done before.
 */
export async function closeCostLookup(
  tx: Executor,
  { callId, generationId }: Pick<CostLookup, 'callId' | 'generationId'>,
  costUsd: string | null,
): Promise<boolean> {
  await tx.query(LOCK, [callId]);
  return (await tx.query(CLOSE, [callId, generationId, costUsd])).rowCount === 1;
}
