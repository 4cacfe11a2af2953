import type { ResourcesDeps } from './resources-deps.ts';
import type { ResourceState } from './tables.ts';

export interface AffectedResource {
  id: string;
  kind: string;
  slug: string;
  name: string;
  state: ResourceState;
}

type KeyDeps = Pick<ResourcesDeps, 'database' | 'kinds' | 'clock' | 'onChanged'>;

/** The owner's published and paused resources that cannot work without their OpenRouter key. For the vault; system role. */
export async function listAffectedByKey(deps: KeyDeps, ownerId: string): Promise<AffectedResource[]> {
  const { rows } = await deps.database.system.query<AffectedResource & { config: unknown }>(
    `SELECT r.id, r.kind, r.slug, v.name, r.state, v.config
     FROM x402_resources r JOIN x402_resource_versions v ON v.id = r.published_version_id
     WHERE r.owner_id = $1 AND r.state IN ('published', 'paused') ORDER BY r.id`,
    [ownerId],
  );
  return rows
    .filter((row) => deps.kinds.find((kind) => kind.name === row.kind)?.needsOpenRouterKey?.(row.config) ?? false)
    .map(({ id, kind, slug, name, state }) => ({ id, kind, slug, name, state }));
}

/** Pauses those of them that are published; `cause` is shown to the creator only. @returns the ids paused now. */
export async function pauseForKey(deps: KeyDeps, ownerId: string, cause: string): Promise<string[]> {
  const affected = await listAffectedByKey(deps, ownerId);
  const { rows } = await deps.database.system.query<{ id: string }>(
    `UPDATE x402_resources SET state = 'paused', paused_by = 'key', pause_cause = $3, updated_at = $4
     WHERE owner_id = $1 AND id = ANY($2) AND state = 'published' RETURNING id`,
    [ownerId, affected.map(({ id }) => id), cause.slice(0, 500), new Date(deps.clock.now())],
  );
  return announce(deps, rows);
}

/** Resumes what was paused for the key, and only that. @returns the ids resumed now. */
export async function resumeForKey(deps: KeyDeps, ownerId: string): Promise<string[]> {
  const { rows } = await deps.database.system.query<{ id: string }>(
    `UPDATE x402_resources SET state = 'published', paused_by = NULL, pause_cause = NULL, updated_at = $2
     WHERE owner_id = $1 AND state = 'paused' AND paused_by = 'key' RETURNING id`,
    [ownerId, new Date(deps.clock.now())],
  );
  return announce(deps, rows);
}

function announce(deps: KeyDeps, rows: { id: string }[]): string[] {
  return rows.map(({ id }) => {
    deps.onChanged?.(id);
    return id;
  });
}
