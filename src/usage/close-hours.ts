import type { Database } from '#database/index.ts';

const LOCK_KEY = 402_008;
/** A statement adds up so many changes: a backlog takes several. */
const BATCH = 50_000;

export const sums = `
  sum(sign) FILTER (WHERE status = 'success') AS successes, sum(sign) FILTER (WHERE status = 'failed') AS failures,
  sum(sign) FILTER (WHERE status = 'unpaid') AS unpaid, sum(sign) FILTER (WHERE status = 'refused') AS refused,
  sum(sign) FILTER (WHERE status = 'owed') AS owed, sum(sign * earned_atomic) AS earned_atomic,
  sum(sign * own_cost_usd) AS own_cost_usd, sum(sign * platform_cost_usd) AS platform_cost_usd,
  sum(sign) FILTER (WHERE is_cost_unknown) AS unknown_costs, sum(sign * input_tokens) AS input_tokens,
  sum(sign * output_tokens) AS output_tokens`;

/** What is summed, by its name in all tables of sums. */
export const summed = [
  'successes',
  'failures',
  'unpaid',
  'refused',
  'owed',
  'earned_atomic',
  'own_cost_usd',
  'platform_cost_usd',
  'unknown_costs',
  'input_tokens',
  'output_tokens',
] as const;

const names = summed.join(', ');
const filled = summed.map((name) => `coalesce(${name}, 0)`).join(', ');
const added = summed.map((name) => `${name} = kept.${name} + excluded.${name}`).join(', ');

const HOUR = `date_trunc('hour', at, 'UTC')`;
const DAY = `(at AT TIME ZONE 'UTC')::date`;

/** Stands for all resources of an owner. */
export const ALL_RESOURCES = '00000000-0000-0000-0000-000000000000';

const latencies = (places: string): string => `
  SELECT owner_id, ${places}, bucket,
    coalesce(sum(sign) FILTER (WHERE is_answer), 0), coalesce(sum(sign) FILTER (WHERE NOT is_answer), 0)
  FROM taken CROSS JOIN LATERAL (VALUES (latency_bucket(latency_ms), true), (latency_bucket(first_output_ms), false))
    AS one (bucket, is_answer)
  CROSS JOIN LATERAL (VALUES (resource_id), ('${ALL_RESOURCES}'::uuid)) AS place (counted_for)
  WHERE bucket IS NOT NULL`;
const addLatencies = `
  DO UPDATE SET answers = kept.answers + excluded.answers, first_outputs = kept.first_outputs + excluded.first_outputs`;

const SQL = `
WITH taken AS (
  DELETE FROM usage_changes WHERE id IN (SELECT id FROM usage_changes ORDER BY id LIMIT ${BATCH}) RETURNING *),
hours AS (
  INSERT INTO usage_hours AS kept (owner_id, resource_id, hour, version, model, ${names})
  SELECT owner_id, resource_id, hour, version, model, ${filled} FROM (
    SELECT owner_id, place.resource_id, ${HOUR} AS hour, place.version, place.model, ${sums}
    FROM taken CROSS JOIN LATERAL (
      VALUES (resource_id, version, model), ('${ALL_RESOURCES}'::uuid, 0, '')) AS place (resource_id, version, model)
    GROUP BY 1, 2, 3, 4, 5) AS one
  ON CONFLICT (owner_id, resource_id, hour, version, model) DO UPDATE SET ${added}),
hour_latencies AS (
  INSERT INTO usage_hour_latencies AS kept (owner_id, resource_id, hour, bucket, answers, first_outputs)
  ${latencies(`counted_for, ${HOUR}`)} GROUP BY 1, 2, 3, 4
  ON CONFLICT (owner_id, resource_id, hour, bucket) ${addLatencies}),
day_latencies AS (
  INSERT INTO usage_day_latencies AS kept (owner_id, day, resource_id, version, model, bucket, answers, first_outputs)
  ${latencies(`${DAY}, resource_id, version, model`)} AND counted_for = resource_id GROUP BY 1, 2, 3, 4, 5, 6
  ON CONFLICT (owner_id, day, resource_id, version, model, bucket) ${addLatencies}),
payers AS (
  INSERT INTO usage_payers AS kept (owner_id, resource_id, day, payer, ${names}, last_called_at)
  SELECT owner_id, resource_id, day, payer, ${filled}, last_called_at FROM (
    SELECT owner_id, place.resource_id, ${DAY} AS day, payer, ${sums}, max(at) AS last_called_at
    FROM taken CROSS JOIN LATERAL (VALUES (resource_id), ('${ALL_RESOURCES}'::uuid)) AS place (resource_id)
    WHERE payer IS NOT NULL GROUP BY 1, 2, 3, 4) AS one
  ON CONFLICT (owner_id, resource_id, day, payer) DO UPDATE SET ${added},
    last_called_at = greatest(kept.last_called_at, excluded.last_called_at)),
problems AS (
  INSERT INTO usage_problems AS kept (owner_id, day, resource_id, problem, calls)
  SELECT owner_id, ${DAY}, resource_id, problem, sum(sign) FROM taken WHERE problem IS NOT NULL GROUP BY 1, 2, 3, 4
  ON CONFLICT (owner_id, day, resource_id, problem) DO UPDATE SET calls = kept.calls + excluded.calls)
SELECT count(*)::int AS taken FROM taken`;

/**
 * Adds what has changed in the log to the sums that dashboards are read from. Each batch is one transaction, so whoever
 * reads sees a change either waiting or added up. @returns how many it took.
 */
export async function closeHours(database: Database): Promise<number> {
  for (let all = 0; ;) {
    const taken = await database.transaction(async (tx) => {
      // Two at once would lock rows in different orders.
      await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK_KEY]);
      return (await tx.query<{ taken: number }>(SQL)).rows[0]?.taken ?? 0;
    });
    all += taken;
    if (taken < BATCH) {
      return all;
    }
  }
}
