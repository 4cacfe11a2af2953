import type { PausedBy } from './resource-kind.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import { withoutCode } from './without-code.ts';

type PauseDeps = Pick<ResourcesDeps, 'database' | 'clock' | 'onChanged' | 'tellSale'>;

/** The check cannot see what a call found, so the next call has to. */
const FAULT = `interval '1 hour'`;
/** SQL. What other processes hold in memory of a key or a model that has just gone is out of date for a moment. */
export const SETTLING = `interval '1 second'`;

/** What the check before a call or the call itself found to stand in the way of every call. */
export interface PauseRequest {
  resourceId: string;
  ownerId: string;
  /** The version that was found unable: a newer one is not paused for it. */
  versionId: string;
  /** `key`: ends with the owner's next key. `readiness`: ends when the check passes. `fault`: is tried again after an hour. */
  by: Exclude<PausedBy, 'owner'>;
  /** What is wrong and what to do, for the creator only. */
  cause: string;
}

/** What cannot run is no longer sold, until its cause is gone. System role. Does nothing to what is paused already. */
export async function pauseUnready(deps: PauseDeps, pause: PauseRequest): Promise<void> {
  const at = new Date(deps.clock.now());
  const cause = pause.cause.slice(0, 500);
  const isPaused = await deps.database.transaction(async (tx) => {
    const { rows } = await tx.query<{ slug: string }>(
      `UPDATE x402_resources SET state = 'paused', paused_by = $4::text, pause_cause = $5, updated_at = $6::timestamptz,
         looks = 0, next_look_at = $6::timestamptz + CASE $4::text WHEN 'fault' THEN ${FAULT} ELSE ${SETTLING} END
       WHERE id = $1 AND owner_id = $2 AND published_version_id = $3 AND state = 'published' RETURNING slug`,
      [pause.resourceId, pause.ownerId, pause.versionId, pause.by, cause, at],
    );
    const { ownerId, resourceId } = pause;
    for (const { slug } of rows) {
      await deps.tellSale?.(tx, { ownerId, resourceId, slug, cause: withoutCode(cause), at });
    }
    return rows.length === 1;
  });
  if (isPaused) {
    deps.onChanged?.(pause.resourceId);
  }
}
