import { dropReferences } from './drop-references.ts';
import type { MediaDeps } from './media-deps.ts';
import { BATCH, referring } from './referring.ts';

/** Removes what has expired, uploads that were never finished included; says how many. Several processes share the work. */
export async function expireMedia(deps: MediaDeps): Promise<number> {
  const now = new Date(deps.clock.now());
  let removed = 0;
  for (const { expire } of referring) {
    for (let count = BATCH; count === BATCH; removed += count) {
      count = await dropReferences(deps, expire, [now]);
    }
  }
  return removed;
}
