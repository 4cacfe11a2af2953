import { dropReferences } from './drop-references.ts';
import { dropExpiredInputs } from './keep-input.ts';
import type { MediaDeps } from './media-deps.ts';

const BATCH = 500;

const due = `WHERE expires_at <= $1 ORDER BY expires_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`;

const expired = [
  `DELETE FROM x402_cached_images WHERE id = ANY(ARRAY(SELECT id FROM x402_cached_images ${due})) RETURNING object_id`,
  `DELETE FROM media_uploads WHERE id_hash = ANY(ARRAY(SELECT id_hash FROM media_uploads ${due})) RETURNING object_id`,
  dropExpiredInputs,
];

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
