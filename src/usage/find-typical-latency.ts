import type { Tx } from '#database/index.ts';

const LATEST = 100;

/**
 * The median time of the latest calls of a resource that were paid for, or free to all, and answered, in milliseconds; null
 * where there are none. System role.
 */
export async function findTypicalLatency(executor: Pick<Tx, 'query'>, resourceId: string): Promise<number | null> {
  const { rows } = await executor.query<{ median: number | null }>(
    `SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY latency_ms)::float8 AS median
     FROM (SELECT latency_ms FROM x402_prompt_template_usage_logs
           WHERE resource_id = $1 AND status = 'success' AND NOT is_test
             AND caller_user_id IS DISTINCT FROM owner_id AND latency_ms IS NOT NULL
           ORDER BY at DESC LIMIT ${LATEST}) latest`,
    [resourceId],
  );
  const median = rows[0]?.median ?? null;
  return median === null ? null : Math.round(median);
}
