import type { Tx } from '#database/index.ts';

/** Calls of a resource that are paid and have no answer, or not all of it. */
export interface OwedCalls {
  ownerId: string;
  resourceId: string;
  calls: number;
  since: Date;
}

/** Those that have been owed since before `until`: what is run again at once is no news. The system's rights. */
export async function listOwed(executor: Pick<Tx, 'query'>, until: Date): Promise<OwedCalls[]> {
  const { rows } = await executor.query<OwedCalls>(
    `SELECT owner_id AS "ownerId", resource_id AS "resourceId", count(*)::int AS calls, min(settled_at) AS since
     FROM calls WHERE state = 'owed' AND (answer IS NULL OR input IS NOT NULL) AND settled_at <= $1 GROUP BY 1, 2`,
    [until],
  );
  return rows;
}
