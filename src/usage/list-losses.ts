import type { Tx } from '#database/index.ts';
import { formatUsdc } from '#kit/index.ts';
import { ALL_RESOURCES } from './places.ts';

export interface Loss {
  ownerId: string;
  resourceId: string;
  earnedUsdc: string;
  /** What fell to the creator's own key. */
  costUsd: string;
}

/** Resources that cost their owners more than they brought since then, by whole hours. The system's rights. */
export async function listLosses(executor: Pick<Tx, 'query'>, since: Date): Promise<Loss[]> {
  const { rows } = await executor.query<Omit<Loss, 'earnedUsdc'> & { earned: string }>(
    `SELECT owner_id AS "ownerId", resource_id AS "resourceId", sum(earned)::text AS earned,
       trim_scale(sum(cost))::text AS "costUsd"
     FROM (
       SELECT owner_id, resource_id, earned_atomic AS earned, own_cost_usd AS cost FROM usage_hours
       WHERE hour >= date_trunc('hour', $1::timestamptz, 'UTC') AND resource_id <> '${ALL_RESOURCES}'
       UNION ALL
       SELECT owner_id, resource_id, sign * earned_atomic, sign * own_cost_usd FROM usage_waiting WHERE at >= $1) AS one
     GROUP BY 1, 2 HAVING sum(cost) * 1000000 > sum(earned)`,
    [since],
  );
  return rows.map(({ earned, ...loss }) => ({ ...loss, earnedUsdc: formatUsdc(BigInt(earned)) }));
}
