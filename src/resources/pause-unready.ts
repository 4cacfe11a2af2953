import type { PausedBy } from './resource-kind.ts';
import type { ResourcesDeps } from './resources-deps.ts';

type PauseDeps = Pick<ResourcesDeps, 'database' | 'clock' | 'onChanged'>;

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
  const { rowCount } = await deps.database.system.query(
    `UPDATE x402_resources SET state = 'paused', paused_by = $4::text, pause_cause = $5, updated_at = $6::timestamptz,
       looks = 0, next_look_at = $6::timestamptz + CASE $4::text WHEN 'fault' THEN ${FAULT} ELSE ${SETTLING} END
     WHERE id = $1 AND owner_id = $2 AND published_version_id = $3 AND state = 'published'`,
    [pause.resourceId, pause.ownerId, pause.versionId, pause.by, pause.cause.slice(0, 500), new Date(deps.clock.now())],
  );
  if (rowCount === 1) {
    deps.onChanged?.(pause.resourceId);
  }
}
