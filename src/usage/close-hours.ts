import type { Database } from '#database/index.ts';
import { ADD_PAYERS, dropPayers, isNumbered, toNumberPayersSql } from './payer-sets.ts';
import { places } from './places.ts';

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

/** Of a row of sums. */
export const calls = 'coalesce(successes, 0) + coalesce(failures, 0)';
export const allCalls = `${calls} + coalesce(unpaid, 0) + coalesce(refused, 0) + coalesce(owed, 0)`;

const names = summed.join(', ');
const filled = summed.map((name) => `coalesce(${name}, 0)`).join(', ');
const added = summed.map((name) => `${name} = kept.${name} + excluded.${name}`).join(', ');

const HOUR = `date_trunc('hour', at, 'UTC')`;
const DAY = `(at AT TIME ZONE 'UTC')::date`;

/** An entry of a histogram; null where the change has none. */
const entry = (column: string): string => `sign::bigint * 512 + latency_bucket(${column})`;
export const latencyEntry = entry('latency_ms');
export const firstOutputEntry = entry('first_output_ms');

const histograms = `array_remove(array_agg(latency), NULL) AS latencies,
    array_remove(array_agg(first_output), NULL) AS first_outputs`;
/** Histograms of a few calls are left as they are: that is faster, and no longer. */
const compact = (entries: string): string =>
  `CASE WHEN cardinality(${entries}) > 64 THEN to_histogram(${entries}) ELSE ${entries} END`;
const addHistograms = `latencies = ${compact('kept.latencies || excluded.latencies')},
    first_outputs = ${compact('kept.first_outputs || excluded.first_outputs')}`;

const addTo = (insert: string, time: string): string => `
  ${insert} AS kept (owner_id, resource_id, ${time}, version, model, ${names}, latencies, first_outputs)
  SELECT owner_id, resource_id, ${time}, version, model, ${filled}, ${compact('latencies')}, ${compact('first_outputs')}
  FROM (
    SELECT owner_id, place.resource_id, ${time}, place.version, place.model, ${sums}, ${histograms}
    FROM taken CROSS JOIN LATERAL ${places} GROUP BY 1, 2, 3, 4, 5) AS one
  ON CONFLICT (owner_id, resource_id, ${time}, version, model) DO UPDATE SET ${added}, ${addHistograms}`;

const addPayersTo = (insert: string, cell: string): string => `
  ${insert} AS kept (${cell}, ${names}, latencies, first_outputs, last_called_at)
  SELECT ${cell}, ${filled}, ${compact('latencies')}, ${compact('first_outputs')}, last_called_at
  FROM (
    SELECT ${cell}, ${sums}, ${histograms}, max(at) AS last_called_at FROM taken WHERE payer IS NOT NULL GROUP BY ${cell}) AS one
  ON CONFLICT (${cell}) DO UPDATE SET ${added}, ${addHistograms},
    last_called_at = greatest(kept.last_called_at, excluded.last_called_at)`;

// The ids as an array: whatever the planner thinks of a table that is empty most of the time, they are looked up.
const toCloseSql = (batch: number): string => `
WITH seen AS MATERIALIZED (SELECT ARRAY(SELECT id FROM usage_changes ORDER BY id LIMIT ${batch}) AS ids),
taken AS (
  DELETE FROM usage_changes
  WHERE id = ANY ((SELECT ids FROM seen)::bigint[]) AND ${isNumbered}
  RETURNING *, ${HOUR} AS hour, ${DAY} AS day, ${latencyEntry} AS latency, ${firstOutputEntry} AS first_output),
hours AS (${addTo('INSERT INTO usage_hours', 'hour')}),
days AS (${addTo('INSERT INTO usage_days', 'day')}),
payers AS (${addPayersTo('INSERT INTO usage_payers', 'owner_id, payer, day, resource_id, version, model')}),
payer_days AS (${addPayersTo('INSERT INTO usage_payer_days', 'owner_id, payer, day')}),
problems AS (
  INSERT INTO usage_problems AS kept (owner_id, day, resource_id, problem, calls)
  SELECT owner_id, day, resource_id, problem, sum(sign) FROM taken WHERE problem IS NOT NULL GROUP BY 1, 2, 3, 4
  ON CONFLICT (owner_id, day, resource_id, problem) DO UPDATE SET calls = kept.calls + excluded.calls),
${ADD_PAYERS}
SELECT (SELECT cardinality(ids) FROM seen) AS seen, (SELECT count(*)::int FROM taken) AS taken, (SELECT json_agg(nets) FROM nets WHERE net < 0) AS fallen`;

/**
 * Adds what has changed in the log to the sums that dashboards are read from. Each batch is one transaction, so whoever
 * reads sees a change either waiting or added up. @returns how many it took.
 */
export async function closeHours(database: Database, batch = BATCH): Promise<number> {
  for (let all = 0; ;) {
    const { seen, taken } = await closeSome(database, batch);
    all += taken;
    // Not by what it took: a batch may leave some of a backlog to the next. Nor until none is left: more keep coming.
    if (seen < batch) {
      return all;
    }
  }
}

function closeSome(database: Database, batch: number): Promise<{ seen: number; taken: number }> {
  return database.transaction(async (tx) => {
    // Two at once would lock rows in different orders, and give a number twice.
    await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK_KEY]);
    await tx.query(toNumberPayersSql(batch));
    const { rows } = await tx.query<{ seen: number; taken: number; fallen: object[] | null }>(toCloseSql(batch));
    const { seen = 0, taken = 0, fallen = null } = rows[0] ?? {};
    if (fallen) {
      await dropPayers(tx, fallen);
    }
    return { seen, taken };
  });
}
