import type { Log } from '#kit/index.ts';
import { askReadiness } from './ask-readiness.ts';
import type { Readiness } from './resource-kind.ts';
import type { ResourcesDeps } from './resources-deps.ts';

type ResumeDeps = Pick<ResourcesDeps, 'database' | 'kinds' | 'clock' | 'onChanged'> & { log: Pick<Log, 'warn'> };

interface Waiting {
  id: string;
  pause_cause: string | null;
  updated_at: Date;
}

const BATCH = 200;
/** What other processes hold in memory of a key or a model that has just gone is out of date for a moment. */
const SETTLE_MS = 1_000;
/** The check cannot see what a call found, so the next call has to: at most one an hour fails for it, uncharged, or owed where it was paid first. */
const FAULT_MS = 3_600_000;

const SELECT = `
  SELECT id, pause_cause, updated_at FROM x402_resources
  WHERE state = 'paused' AND paused_by <> 'owner' AND id > $1
    AND updated_at <= CASE paused_by WHEN 'fault' THEN $3::timestamptz ELSE $2::timestamptz END
  ORDER BY id LIMIT ${BATCH}`;
const UNCHANGED = `id = $1 AND state = 'paused' AND paused_by <> 'owner' AND date_trunc('milliseconds', updated_at) = $2`;
const NIL = '00000000-0000-0000-0000-000000000000';

/**
 * Puts back on sale what was paused because it could not run, and can now; what still cannot is told why as it is today.
 * Each turn looks at the next few of all that wait. To be called every few seconds by a job; system role.
 * @returns how many were resumed.
 */
export function openResumption(deps: ResumeDeps): () => Promise<number> {
  let after = NIL;
  return async () => {
    const now = deps.clock.now();
    const { rows } = await deps.database.system.query<Waiting>(SELECT, [
      after,
      new Date(now - SETTLE_MS),
      new Date(now - FAULT_MS),
    ]);
    after = rows.length === BATCH ? (rows.at(-1)?.id ?? NIL) : NIL;
    let resumed = 0;
    for (const waiting of rows) {
      resumed += (await tryResume(deps, waiting)) ? 1 : 0;
    }
    return resumed;
  };
}

async function tryResume(deps: ResumeDeps, waiting: Waiting): Promise<boolean> {
  const readiness = await askReadiness(deps, waiting.id).catch((err: unknown) => {
    deps.log.warn({ err, resourceId: waiting.id }, 'readiness of a paused resource could not be asked');
    return null;
  });
  return readiness !== null && settle(deps, waiting, readiness);
}

/** Guarded by the time of the last change: a pause of the owner's, or a key that went meanwhile, stands. */
async function settle(deps: ResumeDeps, waiting: Waiting, readiness: Readiness): Promise<boolean> {
  const { id, updated_at: readAt } = waiting;
  if (!readiness.ready) {
    const cause = readiness.cause.slice(0, 500);
    if (readiness.retryAfterSeconds === undefined && cause !== waiting.pause_cause) {
      await deps.database.system.query(`UPDATE x402_resources SET pause_cause = $3 WHERE ${UNCHANGED}`, [
        id,
        readAt,
        cause,
      ]);
    }
    return false;
  }
  const { rowCount } = await deps.database.system.query(
    `UPDATE x402_resources SET state = 'published', paused_by = NULL, pause_cause = NULL, updated_at = $3
     WHERE ${UNCHANGED}`,
    [id, readAt, new Date(deps.clock.now())],
  );
  if (rowCount === 1) {
    deps.onChanged?.(id);
  }
  return rowCount === 1;
}
