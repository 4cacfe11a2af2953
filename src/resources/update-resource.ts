import { z } from 'zod';
import type { InTransaction, Tx } from '#database/index.ts';
import { operation, Problem, type Caller } from '#kit/index.ts';
import { withoutUndefined } from './create-resource.ts';
import { draftFields } from './draft.ts';
import { claimSlug, getUser, lockOwn } from './own-resource.ts';
import { ownResource } from './resource-view.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import { showChanged } from './show-own.ts';
import type { ResourceRow } from './tables.ts';

const input = z.strictObject({
  id: z.uuid(),
  /** The revision that this edit was made on; a different one now is refused. */
  revision: z.int().optional(),
  ...z.object(draftFields).partial().shape,
});

export const updateResource = operation({
  name: 'resources.update',
  route: 'PATCH /api/resources/:id',
  summary: 'Edit the draft: each field given replaces the one that was there. Buyers notice nothing until you publish.',
  scope: 'resources:write',
  input,
  output: ownResource,
  problems: ['not_found', 'conflict', 'precondition_failed'],
  run: async (deps: ResourcesDeps & InTransaction, caller: Caller, { id, revision, ...fields }) => {
    const user = getUser(caller);
    const { tx } = deps;
    const row = await lockOwn(tx, id);
    if (revision !== undefined && revision !== row.revision) {
      const detail = `The draft is at revision ${row.revision}, and this edit was made on revision ${revision}.`;
      throw new Problem('precondition_failed', { detail });
    }
    const draft = { ...row.draft, ...withoutUndefined(fields) };
    // A slug that nobody could have called yet changes at once; a published one when the draft is published.
    const slug = row.published_version_id === null ? draft.slug : row.slug;
    await moveSlug(tx, row, slug);
    const { rows } = await tx.query<ResourceRow>(
      `UPDATE x402_resources SET draft = $2, slug = $3, revision = revision + 1, updated_at = $4
         WHERE id = $1 RETURNING *`,
      [id, JSON.stringify(draft), slug, new Date(deps.clock.now())],
    );
    return showChanged(deps, user, rows[0] as ResourceRow);
  },
});

async function moveSlug(tx: Tx, row: ResourceRow, slug: string): Promise<void> {
  if (slug === row.slug) {
    return;
  }
  await tx.query('DELETE FROM x402_resource_slugs WHERE resource_id = $1', [row.id]);
  await claimSlug(tx, { ownerId: row.owner_id, resourceId: row.id, slug });
}
