import type { Tx } from '#database/index.ts';
import { ALL_RESOURCES } from './places.ts';

/** How often calls of a resource failed lately, and what is usual for it. */
export interface ErrorRate {
  ownerId: string;
  resourceId: string;
  calls: number;
  failures: number;
  usualCalls: number;
  usualFailures: number;
  /** The code that most of the failures of these days have. */
  problem: string | null;
}

interface Asked {
  /** From here on is lately. */
  since: Date;
  /** Between here and `since` is usual. */
  usualSince: Date;
  /** Resources with fewer failures are left out. */
  leastFailures: number;
}

const counted = `
  SELECT owner_id, resource_id, hour, successes + failures + owed AS made, failures + owed AS failures FROM usage_hours
  WHERE hour >= date_trunc('hour', $1::timestamptz, 'UTC') AND resource_id <> '${ALL_RESOURCES}'
  UNION ALL
  SELECT owner_id, resource_id, hour, CASE WHEN status IN ('success', 'failed', 'owed') THEN sign ELSE 0 END,
    CASE WHEN status IN ('failed', 'owed') THEN sign ELSE 0 END FROM usage_waiting WHERE at >= $1`;

/** Of whole hours, so that `since` begins with the hour that it is in. The system's rights. */
export async function listErrorRates(
  executor: Pick<Tx, 'query'>,
  { since, usualSince, leastFailures }: Asked,
): Promise<ErrorRate[]> {
  const { rows } = await executor.query<ErrorRate>(
    `WITH lately AS (
       SELECT owner_id, resource_id, sum(made)::float8 AS made, sum(failures)::float8 AS failures
       FROM (${counted}) AS one GROUP BY 1, 2 HAVING sum(failures) >= $3)
     SELECT l.owner_id AS "ownerId", l.resource_id AS "resourceId", l.made AS calls, l.failures,
       coalesce(u.made, 0)::float8 AS "usualCalls", coalesce(u.failures, 0)::float8 AS "usualFailures", p.problem
     FROM lately l
     LEFT JOIN LATERAL (
       SELECT sum(successes + failures + owed) AS made, sum(failures + owed) AS failures FROM usage_hours h
       WHERE h.owner_id = l.owner_id AND h.resource_id = l.resource_id
         AND h.hour >= $2 AND h.hour < date_trunc('hour', $1::timestamptz, 'UTC')) u ON true
     LEFT JOIN LATERAL (
       SELECT problem FROM (
         SELECT problem, q.calls AS counted FROM usage_problems q WHERE q.owner_id = l.owner_id AND q.resource_id = l.resource_id
           AND q.day >= ($1::timestamptz AT TIME ZONE 'UTC')::date
         UNION ALL
         SELECT problem, sign FROM usage_waiting w WHERE w.owner_id = l.owner_id AND w.resource_id = l.resource_id
           AND w.problem IS NOT NULL AND w.at >= $1) AS told
       GROUP BY problem ORDER BY sum(counted) DESC, problem LIMIT 1) p ON true`,
    [since, usualSince, leastFailures],
  );
  return rows;
}
