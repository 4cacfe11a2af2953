import type { Tx } from '#database/index.ts';

export interface LastRun {
  payer: string | null;
  status: string;
  cause: string | null;
}

interface Asked {
  resourceId: string;
  versionId: string;
  /** The call that asks. */
  exceptCallId: string;
  limit: number;
  since: Date;
}

/** How the last runs of a version ended, of all processes, newest first. Tests and calls that did not run are left out. */
export async function listLastRuns(pool: Pick<Tx, 'query'>, asked: Asked): Promise<LastRun[]> {
  const { rows } = await pool.query<LastRun>(
    `SELECT payer, status, cause FROM x402_prompt_template_usage_logs
     WHERE resource_id = $1 AND version_id = $2 AND call_id <> $3 AND at >= $4 AND NOT is_test AND status <> 'refused'
     ORDER BY at DESC, call_id DESC LIMIT $5`,
    [asked.resourceId, asked.versionId, asked.exceptCallId, asked.since, asked.limit],
  );
  return rows;
}
