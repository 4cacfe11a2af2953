import type { Tx } from '#database/index.ts';
import { formatUsdc } from '#kit/index.ts';

/**
 * Public figures of one resource, under the names that they have on the wire. Tests, the owner's own calls and
 * payments that were refused count nowhere. `…_30d`: today and the 29 days before it, in UTC. A call is a success or a
 * failure, and a failure is also a call that could not begin because the resource was not able to run; an answer whose
 * settlement was refused is `unpaid`.
 */
export interface Stats {
  call_count: number;
  success_count_30d: number;
  failure_count_30d: number;
  unpaid_count_30d: number;
  total_earned_usdc: string;
  last_called_at: string | null;
}

interface Row {
  resource_id: string;
  calls: string;
  successes: string;
  failures: string;
  unpaid: string;
  earned: string;
  last_called_at: Date | null;
}

// One statement is one snapshot: a call is either still pending or already in its rollup, never both and never neither.
const SQL = `
SELECT resource_id,
       sum(success_count + failure_count) AS calls,
       coalesce(sum(success_count) FILTER (WHERE day > $2::date - 30), 0) AS successes,
       coalesce(sum(failure_count) FILTER (WHERE day > $2::date - 30), 0) AS failures,
       coalesce(sum(unpaid_count) FILTER (WHERE day > $2::date - 30), 0) AS unpaid,
       sum(earned_atomic) AS earned,
       max(called_at) AS last_called_at
FROM (
  SELECT resource_id, day, success_count, failure_count, unpaid_count, earned_atomic, last_called_at AS called_at
  FROM usage_rollups WHERE resource_id = ANY($1)
  UNION ALL
  SELECT resource_id, day, success_count, failure_count, unpaid_count, earned_atomic, called_at
  FROM usage_pending WHERE resource_id = ANY($1)
) AS counted
GROUP BY resource_id`;

/**
 * The figures of each resource named; zeros for one that was never called. `now` decides which days are the last 30. Needs
 * the rights of the system.
 */
export async function getStats(
  executor: Pick<Tx, 'query'>,
  resourceIds: readonly string[],
  now: Date,
): Promise<Map<string, Stats>> {
  const { rows } = await executor.query<Row>(SQL, [resourceIds, now.toISOString().slice(0, 10)]);
  const found = new Map(rows.map((row) => [row.resource_id, toStats(row)]));
  return new Map(resourceIds.map((id) => [id, found.get(id) ?? noCalls]));
}

const noCalls: Stats = {
  call_count: 0,
  success_count_30d: 0,
  failure_count_30d: 0,
  unpaid_count_30d: 0,
  total_earned_usdc: '0',
  last_called_at: null,
};

function toStats(row: Row): Stats {
  return {
    call_count: Number(row.calls),
    success_count_30d: Number(row.successes),
    failure_count_30d: Number(row.failures),
    unpaid_count_30d: Number(row.unpaid),
    total_earned_usdc: formatUsdc(BigInt(row.earned)),
    last_called_at: row.last_called_at?.toISOString() ?? null,
  };
}
