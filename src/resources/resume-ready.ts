import type { Tx } from '#database/index.ts';
import type { Log } from '#kit/index.ts';
import { askReadiness } from './ask-readiness.ts';
import type { PausedBy, Readiness } from './resource-kind.ts';
import type { ResourcesDeps } from './resources-deps.ts';

type ResumeDeps = Pick<ResourcesDeps, 'database' | 'kinds' | 'clock' | 'payable' | 'onChanged' | 'tellSale'> & {
  log: Pick<Log, 'warn'>;
};

interface Waiting {
  id: string;
  paused_by: PausedBy;
  pause_cause: string | null;
  looks: number;
  updated_at: Date;
}

const BATCH = 200;
/** About a quarter of an hour: what waits for its owner's key is then asked no more, because that key itself resumes it. */
const LOOKS_FOR_KEY = 9;

/** Takes what is due, each for one process, and says when it is due again: after 3 s, then twice as long, at most 10 min. */
const TAKE = `
  UPDATE x402_resources r SET looks = r.looks + 1,
    next_look_at = $1::timestamptz + least(3 * power(2, least(r.looks, 10)), 600) * interval '1 second'
  FROM (SELECT id FROM x402_resources
        WHERE state = 'paused' AND paused_by <> 'owner' AND next_look_at <= $1
        ORDER BY next_look_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED) due
  WHERE r.id = due.id
  RETURNING r.id, r.paused_by, r.pause_cause, r.looks, r.updated_at`;
const UNCHANGED = `id = $1 AND state = 'paused' AND paused_by <> 'owner' AND date_trunc('milliseconds', updated_at) = $2`;

/**
 * Puts back on sale what was paused because it could not run, and can now; what still cannot is told why as it is today.
 * Each turn asks those that are due. What a call found is due an hour later; the check may not see it, so that the next
 * call fails for it again: uncharged, or charged and owed where it is paid first. To be called every few seconds by a job;
 * system role.
 * @returns how many were resumed.
 */
export function openResumption(deps: ResumeDeps): () => Promise<number> {
  let isFirst = true;
  return async () => {
    if (isFirst) {
      // What the operator offers may be another since the last start, such as whom their key stands in for.
      await lookSoon(deps.database.system, new Date(deps.clock.now()));
      isFirst = false;
    }
    const { rows } = await deps.database.system.query<Waiting>(TAKE, [new Date(deps.clock.now())]);
    let resumed = 0;
    for (const waiting of rows) {
      resumed += (await tryResume(deps, waiting)) ? 1 : 0;
    }
    return resumed;
  };
}

/** To be called when something that many resources need has changed, such as the models. System role. */
export async function lookSoon(executor: Pick<Tx, 'query'>, at: Date): Promise<void> {
  await executor.query(
    `UPDATE x402_resources SET looks = 0, next_look_at = $1 WHERE state = 'paused' AND paused_by IN ('key', 'readiness')`,
    [at],
  );
}

async function tryResume(deps: ResumeDeps, waiting: Waiting): Promise<boolean> {
  const readiness = await askReadiness(deps, waiting.id).catch((err: unknown) => {
    deps.log.warn({ err, resourceId: waiting.id }, 'readiness of a paused resource could not be asked');
    return null;
  });
  if (readiness === null) {
    return false;
  }
  if (!readiness.ready) {
    await keepPaused(deps, waiting, readiness);
    return false;
  }
  return resume(deps, waiting);
}

/** Why a key went was told when it went, with more than can be found out later. */
async function keepPaused(
  { database }: ResumeDeps,
  { id, updated_at: readAt, paused_by: by, pause_cause: before, looks }: Waiting,
  readiness: Readiness & { ready: false },
): Promise<void> {
  const cause = readiness.cause.slice(0, 500);
  if (by === 'key' && readiness.lacksKey) {
    if (looks >= LOOKS_FOR_KEY) {
      await database.system.query(`UPDATE x402_resources SET next_look_at = NULL WHERE ${UNCHANGED}`, [id, readAt]);
    }
  } else if (readiness.retryAfterSeconds === undefined && cause !== before) {
    await database.system.query(`UPDATE x402_resources SET pause_cause = $3 WHERE ${UNCHANGED}`, [id, readAt, cause]);
  }
}

/** Guarded by the time of the last change: a pause of the owner's, or a key that went meanwhile, stands. */
async function resume(deps: ResumeDeps, { id, updated_at: readAt }: Waiting): Promise<boolean> {
  const at = new Date(deps.clock.now());
  const isResumed = await deps.database.transaction(async (tx) => {
    const { rows } = await tx.query<{ ownerId: string; slug: string }>(
      `UPDATE x402_resources SET state = 'published', paused_by = NULL, pause_cause = NULL, updated_at = $3
       WHERE ${UNCHANGED} RETURNING owner_id AS "ownerId", slug`,
      [id, readAt, at],
    );
    for (const resumed of rows) {
      await deps.tellSale?.(tx, { ...resumed, resourceId: id, cause: null, at });
    }
    return rows.length === 1;
  });
  if (isResumed) {
    deps.onChanged?.(id);
  }
  return isResumed;
}
