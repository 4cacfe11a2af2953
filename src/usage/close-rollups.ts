import type { Database } from '#database/index.ts';

const LOCK_KEY = 402_007;

/**
 * Adds the waiting calls to the daily rollups, in one transaction. Statistics are the same before, during and after.
 * @returns how many calls it took.
 */
export async function closeRollups(database: Database): Promise<number> {
  return database.transaction(async (tx) => {
    // Two runs at once would lock rollup rows in different orders.
    await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK_KEY]);
    const { rows } = await tx.query<{ taken: number }>(`
      WITH taken AS (DELETE FROM usage_pending RETURNING *),
      summed AS (
        SELECT resource_id, day, sum(success_count) AS success_count, sum(failure_count) AS failure_count,
               sum(unpaid_count) AS unpaid_count, sum(earned_atomic) AS earned_atomic, max(called_at) AS called_at
        FROM taken GROUP BY resource_id, day),
      added AS (
        INSERT INTO usage_rollups AS kept
          (resource_id, day, success_count, failure_count, unpaid_count, earned_atomic, last_called_at)
        SELECT resource_id, day, success_count, failure_count, unpaid_count, earned_atomic, called_at FROM summed
        ON CONFLICT (resource_id, day) DO UPDATE SET
          success_count = kept.success_count + EXCLUDED.success_count,
          failure_count = kept.failure_count + EXCLUDED.failure_count,
          unpaid_count = kept.unpaid_count + EXCLUDED.unpaid_count,
          earned_atomic = kept.earned_atomic + EXCLUDED.earned_atomic,
          last_called_at = greatest(kept.last_called_at, EXCLUDED.last_called_at))
      SELECT count(*)::int AS taken FROM taken`);
    return rows[0]?.taken ?? 0;
  });
}
