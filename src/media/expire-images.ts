import type { MediaDeps } from './media-deps.ts';

const BATCH = 500;
/** No write takes this long: what is older was left by a killed process. */
const ABANDONED_MS = 3_600_000;

/** Files go before their rows: a crash in between leaves rows that the next run takes up again. */
export async function expireImages(deps: MediaDeps): Promise<number> {
  const now = new Date(deps.clock.now());
  let removed = 0;
  for (;;) {
    const { rows } = await deps.database.system.query<{ id: string }>(
      'SELECT id FROM x402_cached_images WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2',
      [now, BATCH],
    );
    const ids = rows.map((row) => row.id);
    for (const id of ids) {
      await deps.store.remove(id);
    }
    const deleted = await deps.database.system.query('DELETE FROM x402_cached_images WHERE id = ANY($1)', [ids]);
    removed += deleted.rowCount ?? 0;
    if (ids.length < BATCH) {
      break;
    }
  }
  await deps.store.sweep(deps.clock.now() - ABANDONED_MS);
  return removed;
}
