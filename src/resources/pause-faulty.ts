import type { ResourcesDeps } from './resources-deps.ts';

type PauseDeps = Pick<ResourcesDeps, 'database' | 'clock' | 'onChanged'>;

/**
 * A call found that the resource cannot work until its creator acts (a retired model, a refused setting): it is no
 * longer sold. Only the creator resumes it. System role; `cause` is shown to the creator only.
 */
export async function pauseFaulty(
  deps: PauseDeps,
  fault: { resourceId: string; ownerId: string; cause: string },
): Promise<void> {
  const { rowCount } = await deps.database.system.query(
    `UPDATE x402_resources SET state = 'paused', paused_by = 'owner', pause_cause = $3, updated_at = $4
     WHERE id = $1 AND owner_id = $2 AND state = 'published'`,
    [fault.resourceId, fault.ownerId, fault.cause.slice(0, 500), new Date(deps.clock.now())],
  );
  if (rowCount === 1) {
    deps.onChanged?.(fault.resourceId);
  }
}
