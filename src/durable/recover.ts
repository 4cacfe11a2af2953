import { DBOS } from '@dbos-inc/dbos-sdk';
import { DBOSExecutor } from '@dbos-inc/dbos-sdk/internal/dbos-executor';
import type pg from 'pg';

export interface Executor {
  pool: pg.Pool;
  executorId: string;
  name: string;
  deadAfterMs: number;
}

const FORGET_AFTER_MS = 7 * 24 * 3600 * 1000;
const FORGET_AT_ONCE = 1000;

export async function reportAlive(executor: Executor): Promise<void> {
  await executor.pool.query(
    `INSERT INTO durable_executors (id, name) VALUES ($1, $2)
     ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp()`,
    [executor.executorId, executor.name],
  );
}

export async function reportGone(executor: Executor): Promise<void> {
  await executor.pool.query('DELETE FROM durable_executors WHERE id = $1', [executor.executorId]);
}

/**
 * Puts running work whose executor is not alive back on its queue; returns the ids of the dead.
 * Whoever holds work without a fresh sign of life is dead, so nothing depends on the order of two writes.
 */
export async function recoverDead(executor: Executor): Promise<string[]> {
  const running = await DBOS.listWorkflows({ status: 'PENDING', loadInput: false, loadOutput: false });
  const holders = new Set(running.map((workflow) => workflow.executorId).filter((id) => id !== undefined));
  const { rows } = await executor.pool.query<{ id: string }>(
    `SELECT holder AS id FROM unnest($1::text[]) AS holder
     WHERE NOT EXISTS (SELECT FROM durable_executors e
                       WHERE e.id = holder AND e.seen_at > clock_timestamp() - $2 * interval '1 millisecond')`,
    [[...holders], executor.deadAfterMs],
  );
  const dead = rows.map((row) => row.id).filter((id) => id !== executor.executorId);
  if (dead.length > 0) {
    await DBOSExecutor.globalInstance?.recoverPendingWorkflows(dead);
  }
  await executor.pool.query(
    `DELETE FROM durable_executors WHERE seen_at < clock_timestamp() - $1 * interval '1 millisecond'`,
    [executor.deadAfterMs * 10],
  );
  return dead;
}

/** Deletes the records of work that ended more than a week ago; their ids could then be used again. */
export async function forgetFinished(nowMs: number): Promise<void> {
  const finished = await DBOS.listWorkflows({
    status: ['SUCCESS', 'ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED'],
    completedBefore: new Date(nowMs - FORGET_AFTER_MS).toISOString(),
    limit: FORGET_AT_ONCE,
    loadInput: false,
    loadOutput: false,
  });
  if (finished.length > 0) {
    await DBOS.deleteWorkflows(finished.map((workflow) => workflow.workflowID));
  }
}
