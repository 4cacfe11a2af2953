import type { Tx } from '#database/index.ts';
import type { Dependent, IntegrationChange, Reaction } from '#integrations/index.ts';
import { SETTLING } from './pause-unready.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import type { ResourceState } from './tables.ts';

type FollowDeps = Pick<ResourcesDeps, 'kinds' | 'clock' | 'onChanged' | 'isCovered'>;
type Followed = Omit<IntegrationChange, 'isRefused'>;

/**
 * Pauses the owner's published resources that cannot work without the service, or resumes what was paused for want of a
 * key, and only that. Inside the transaction of the change and as the owner, so that neither is there without the other.
 */
export async function followIntegration(deps: FollowDeps, tx: Tx, change: Followed): Promise<Reaction> {
  const { problem } = change;
  await lockAll(tx, change.ownerId);
  const isCovered = problem !== null && (await isOwnerCovered(deps, tx, change));
  const stillSelling = isCovered ? (await listByService(deps, tx, change)).filter(isPublished) : [];
  const changed = problem === null ? await resume(deps, tx, change) : await pause(deps, tx, { ...change, problem });
  return {
    paused: problem === null ? [] : changed,
    resumed: problem === null ? changed : [],
    stillSelling,
    afterCommit: () => changed.forEach(({ id }) => deps.onChanged?.(id)),
  };
}

/** Waits for what is being published or resumed just now, so that it is seen as it will be; others wait for this change. */
async function lockAll(tx: Tx, ownerId: string): Promise<void> {
  await tx.query('SELECT FROM x402_resources WHERE owner_id = $1 ORDER BY id FOR UPDATE', [ownerId]);
}

/** The owner's published and paused resources that cannot work without a key of theirs; none where another one stands in. */
export async function findDependents(
  deps: Pick<FollowDeps, 'kinds' | 'isCovered'>,
  tx: Tx,
  change: Pick<Followed, 'ownerId' | 'service'>,
): Promise<Dependent[]> {
  return (await isOwnerCovered(deps, tx, change)) ? [] : listByService(deps, tx, change);
}

async function listByService(
  deps: Pick<FollowDeps, 'kinds'>,
  tx: Tx,
  { ownerId, service }: Pick<Followed, 'ownerId' | 'service'>,
): Promise<Dependent[]> {
  const found = await findByService(deps, tx, ownerId);
  return (found.get(service) ?? []).map(({ id, kind, slug, name, state }) => ({ id, kind, slug, name, state }));
}

async function isOwnerCovered(
  { isCovered }: Pick<FollowDeps, 'isCovered'>,
  tx: Tx,
  { ownerId, service }: Pick<Followed, 'ownerId' | 'service'>,
): Promise<boolean> {
  if (!isCovered) {
    return false;
  }
  const { rows } = await tx.query<{ username: string }>('SELECT username FROM users WHERE id = $1', [ownerId]);
  return rows[0] !== undefined && isCovered(rows[0].username, service);
}

function isPublished({ state }: Dependent): boolean {
  return state === 'published';
}

/** What is paused already is touched, so that a resumption that found it ready before is refused. */
async function pause(
  deps: FollowDeps,
  tx: Tx,
  { ownerId, service, problem }: Followed & { problem: string },
): Promise<Dependent[]> {
  const dependents = await findDependents(deps, tx, { ownerId, service });
  await tx.query(
    `UPDATE x402_resources SET state = 'paused', updated_at = $4,
       paused_by = CASE state WHEN 'published' THEN 'key' ELSE paused_by END,
       pause_cause = CASE state WHEN 'published' THEN $3 ELSE pause_cause END,
       looks = CASE state WHEN 'published' THEN 0 ELSE looks END,
       next_look_at = CASE state WHEN 'published' THEN $4::timestamptz + ${SETTLING} ELSE next_look_at END
     WHERE owner_id = $1 AND id = ANY($2)`,
    [ownerId, dependents.map(({ id }) => id), problem.slice(0, 500), new Date(deps.clock.now())],
  );
  return dependents.filter(isPublished).map((one) => ({ ...one, state: 'paused' }));
}

/** What waits for something else is looked at soon. Also what needs no service any more since it was published again while paused for one. */
async function resume(deps: FollowDeps, tx: Tx, { ownerId, service }: Followed): Promise<Dependent[]> {
  const found = await findByService(deps, tx, ownerId);
  const candidates = [...(found.get(service) ?? []), ...(found.get(null) ?? [])];
  const { rows } = await tx.query<{ id: string }>(
    `UPDATE x402_resources SET state = 'published', paused_by = NULL, pause_cause = NULL, updated_at = $3
     WHERE owner_id = $1 AND id = ANY($2) AND state = 'paused' AND paused_by = 'key' RETURNING id`,
    [ownerId, candidates.map(({ id }) => id), new Date(deps.clock.now())],
  );
  await tx.query(
    `UPDATE x402_resources SET looks = 0, next_look_at = $2
     WHERE owner_id = $1 AND state = 'paused' AND paused_by = 'readiness'`,
    [ownerId, new Date(deps.clock.now())],
  );
  return toChanged(candidates, rows, 'published');
}

type Found = Dependent & { config: unknown };

async function findByService(
  { kinds }: Pick<FollowDeps, 'kinds'>,
  tx: Tx,
  ownerId: string,
): Promise<Map<string | null, Found[]>> {
  const { rows } = await tx.query<Found>(
    `SELECT r.id, r.kind, r.slug, v.name, r.state, v.config
     FROM x402_resources r JOIN x402_resource_versions v ON v.id = r.published_version_id
     WHERE r.owner_id = $1 AND r.state IN ('published', 'paused') ORDER BY r.id`,
    [ownerId],
  );
  return Map.groupBy(rows, (row) => kinds.find(({ name }) => name === row.kind)?.integrationOf?.(row.config) ?? null);
}

function toChanged(candidates: readonly Dependent[], rows: { id: string }[], state: ResourceState): Dependent[] {
  const ids = new Set(rows.map(({ id }) => id));
  return candidates
    .filter(({ id }) => ids.has(id))
    .map(({ id, kind, slug, name }) => ({ id, kind, slug, name, state }));
}
