import type { Tx } from '#database/index.ts';

const LATEST = 100;

/** The median time of the latest answers of a resource, in milliseconds; null where there are none. System role. */
export async function findTypicalLatency(executor: Pick<Tx, 'query'>, resourceId: string): Promise<number | null> {
  const { rows } = await executor.query<{ median: number | null }>(
    `SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY latency_ms)::float8 AS median
     FROM (SELECT status, latency_ms FROM x402_prompt_template_usage_logs
           WHERE resource_id = $1 ORDER BY at DESC, call_id DESC LIMIT ${LATEST}) latest
     WHERE status = 'success' AND latency_ms IS NOT NULL`,
    [resourceId],
  );
  const median = rows[0]?.median ?? null;
  return median === null ? null : Math.round(median);
}
