import type { z } from 'zod';
import type { Tx } from '#database/index.ts';
import type { User } from '#kit/index.ts';
import { loadVersion } from './load-version.ts';
import { findStats, toOwnResource, type ownResource } from './resource-view.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import type { ResourceRow } from './tables.ts';

/** Runs `change` as the user, tells this process of it, and shows the creator the resource as it is now. */
export async function changeOwn(
  deps: ResourcesDeps,
  user: User,
  change: (tx: Tx) => Promise<ResourceRow>,
): Promise<z.input<typeof ownResource>> {
  const row = await deps.database.asUser(user.userId, change);
  deps.onChanged?.(row.id);
  return showOwn(deps, user, row);
}

export async function showOwn(deps: ResourcesDeps, user: User, row: ResourceRow): Promise<z.input<typeof ownResource>> {
  const source = { pool: deps.database.system, nowMs: deps.clock.now() };
  const [version, stats] = await Promise.all([
    row.published_version_id ? loadVersion(source, 'version', [row.published_version_id]) : null,
    findStats(deps, [row.id]),
  ]);
  return toOwnResource(deps, { row, creator: user.username, stats: stats.get(row.id) }, version);
}
