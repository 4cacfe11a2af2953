import type { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import type { User } from '#kit/index.ts';
import { estimateDraft, estimateVersion } from './estimate-cost.ts';
import { loadVersion } from './load-version.ts';
import { findStats, toOwnResource, type ownResource } from './resource-view.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import type { ResourceRow } from './tables.ts';

type ShowDeps = ResourcesDeps & Pick<InTransaction, 'tx' | 'asSystem'>;

/** Tells this process of the change once it is committed, and shows the creator the resource as it is now. */
export async function showChanged(
  deps: ShowDeps & Pick<InTransaction, 'afterCommit'>,
  user: User,
  row: ResourceRow,
): Promise<z.input<typeof ownResource>> {
  deps.afterCommit(() => deps.onChanged?.(row.id));
  return showOwn(deps, user, row);
}

export async function showOwn(deps: ShowDeps, user: User, row: ResourceRow): Promise<z.input<typeof ownResource>> {
  const source = { pool: deps.tx, nowMs: deps.clock.now() };
  const version = row.published_version_id ? await loadVersion(source, 'version', [row.published_version_id]) : null;
  const stats = await findStats(deps, [row.id]);
  const cost = { draft: await estimateDraft(deps, row), published: version && (await estimateVersion(deps, version)) };
  return toOwnResource(deps, { row, creator: user.username, stats: stats.get(row.id), cost }, version);
}
