import { deleteReferring, dropReferences, lockObjects } from './drop-references.ts';
import { ABANDONED_MS, sweepIncoming } from './receive-file.ts';
import type { MediaDeps } from './media-deps.ts';
import { isUnreferenced } from './referring.ts';

/** So many at once are neither lost nor orphans: store and database do not belong together. */
const MOST_AT_ONCE = 20;

interface ObjectRow {
  id: string;
  key: string;
  state: string;
}

/**
 * Compares what lies in the store with what the database knows: bytes without a row are removed, and rows without bytes
 * with all that refers to them; neither where it is most of what there is. Also removes what killed processes have left. Any
 * number of processes may run it at once.
 */
export async function sweepMedia(deps: MediaDeps): Promise<{ orphans: number; lost: number }> {
  const beforeMs = deps.clock.now() - ABANDONED_MS;
  await sweepIncoming(deps.incoming, beforeMs);
  await dropReferences(deps, abandoned, [new Date(beforeMs)]);
  const lost: ObjectRow[] = [];
  const orphans: string[] = [];
  let [known, stored] = [0, 0];
  let after = '';
  for await (const page of deps.store.list()) {
    const last = page.at(-1)?.key ?? after;
    const rows = await readRows(deps, after, last);
    const listed = new Set(page.map(({ key }) => key));
    const keys = new Set(rows.map(({ key }) => key));
    const unknown = page.filter((object) => !keys.has(object.key) && object.modifiedMs < beforeMs);
    orphans.push(...unknown.map(({ key }) => key));
    stored += page.length;
    lost.push(...rows.filter((row) => !listed.has(row.key)));
    known += rows.length;
    after = last;
  }
  const rest = await readRows(deps, after, null);
  const removed = await removeOrphans(deps, orphans, stored);
  return { orphans: removed, lost: await dropLost(deps, [...lost, ...rest], known + rest.length) };
}

/** Keys are never used again: what was nobody's when it was listed is so now. */
async function removeOrphans(deps: MediaDeps, orphans: readonly string[], stored: number): Promise<number> {
  if (orphans.length > MOST_AT_ONCE && orphans.length > stored / 2) {
    deps.log?.error(
      { unknown: orphans.length, stored },
      'most stored media are unknown to this database: is it the one that they were stored with? None were removed.',
    );
    return 0;
  }
  for (const key of orphans) {
    await deps.store.remove(key);
  }
  return orphans.length;
}

/** A row is there before its bytes: bytes that were listed before the rows were read and have none are nobody's. */
async function readRows({ database }: MediaDeps, after: string, last: string | null): Promise<ObjectRow[]> {
  const { rows } = await database.system.query<ObjectRow>(
    'SELECT id, key, state FROM media_objects WHERE key > $1 AND ($2::text IS NULL OR key <= $2) ORDER BY key',
    [after, last],
  );
  return rows;
}

/** Half written when its process died, or left without a reference by one. */
const abandoned = `SELECT id AS object_id FROM media_objects o WHERE o.created_at < $1 AND ${isUnreferenced}`;

async function dropLost(deps: MediaDeps, missing: readonly ObjectRow[], known: number): Promise<number> {
  const lost: string[] = [];
  for (const { id, key, state } of missing) {
    // It may have been written or removed since the listing.
    if (state !== 'writing' && (await deps.store.sizeOf(key)) === null) {
      lost.push(id);
    }
  }
  if (lost.length > MOST_AT_ONCE && lost.length > known / 2) {
    deps.log?.error(
      { lost: lost.length, known },
      'most media are missing: is this the store that they were written to?',
    );
    return 0;
  }
  const { rowCount } = await deps.database.transaction(async (tx) => {
    // What refers to objects is locked before the objects, as everywhere; what came to refer to them meanwhile, after.
    await deleteReferring(tx, lost);
    await lockObjects(tx, lost);
    await deleteReferring(tx, lost);
    return tx.query('DELETE FROM media_objects WHERE id = ANY($1)', [lost]);
  });
  return rowCount ?? 0;
}
