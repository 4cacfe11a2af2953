import type { Tx } from '#database/index.ts';
import type { MediaDeps } from './media-deps.ts';
import { isUnreferenced, referring } from './referring.ts';

/**
 * Removes objects to which nobody refers any more, of those that `sql` returns as `object_id`, as a rule because it deletes
 * what referred to them. Rows go in one transaction, bytes afterwards: what a crash leaves in between, the sweep finds.
 * Returns how many rows `sql` returned.
 */
export async function dropReferences(
  { database, store }: MediaDeps,
  sql: string,
  values: readonly unknown[],
): Promise<number> {
  const { count, keys } = await database.transaction(async (tx) => {
    const dropped = await tx.query<{ object_id: string | null }>(sql, [...values]);
    const ids = [...new Set(dropped.rows.flatMap((row) => row.object_id ?? []))].sort();
    await lockObjects(tx, ids);
    const { rows } = await tx.query<{ key: string }>(`${deleteUnreferenced} AND o.id = ANY($1) RETURNING o.key`, [ids]);
    return { count: dropped.rowCount ?? 0, keys: rows.map(({ key }) => key) };
  });
  for (const key of keys) {
    await store.remove(key);
  }
  return count;
}

/**
 * Waits for whoever is about to refer to one of them, and keeps others from it. What was referred to meanwhile only the next
 * statement sees. In one order, so that nobody waits for each other.
 */
export async function lockObjects(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.query('SELECT 1 FROM media_objects WHERE id = ANY($1) ORDER BY id FOR UPDATE', [ids]);
}

const deleteUnreferenced = `DELETE FROM media_objects o WHERE ${isUnreferenced}`;

/** Whatever refers to one of them. */
export async function deleteReferring(tx: Tx, ids: readonly string[]): Promise<void> {
  for (const { remove } of referring) {
    await tx.query(remove, [ids]);
  }
}
