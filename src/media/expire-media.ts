import { dropReferences } from './drop-references.ts';
import type { MediaDeps } from './media-deps.ts';

const BATCH = 500;

const expired = ['x402_cached_images', 'media_uploads'].map(
  (table) => `
    DELETE FROM ${table} WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM ${table} WHERE expires_at <= $1 ORDER BY expires_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED))
    RETURNING object_id`,
);

/** Removes what has expired, uploads that were never finished included; says how many. Several processes share the work. */
export async function expireMedia(deps: MediaDeps): Promise<number> {
  const now = new Date(deps.clock.now());
  let removed = 0;
  for (const sql of expired) {
    for (let count = BATCH; count === BATCH; removed += count) {
      count = await dropReferences(deps, sql, [now]);
    }
  }
  return removed;
}
