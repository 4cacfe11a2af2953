import { z } from 'zod';
import type { InTransaction, Tx } from '#database/index.ts';
import { canonicalJson, operation, Problem, type Caller } from '#kit/index.ts';
import type { Findings } from './check-draft.ts';
import { assertShape, checkShape } from './check-shape.ts';
import { withoutUndefined } from './create-resource.ts';
import { draftFields, emptyDraft, type Draft } from './draft.ts';
import { findFindings, toOwnDraft } from './draft-version.ts';
import { claimSlug, findOwn, getUser, lockOwn, notFound } from './own-resource.ts';
import { checkedResource } from './resource-view.ts';
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
  summary:
    'Edit the draft: each field given replaces the one that was there; an edit that changes nothing makes no revision. Buyers notice nothing until you publish.',
  scope: 'resources:write',
  input,
  output: checkedResource,
  problems: ['not_found', 'conflict', 'precondition_failed'],
  findMore: async (deps: ResourcesDeps, caller, { fits, faulty }) => {
    const { id, revision: _, ...fields } = fits;
    const read = await findRead(deps, caller, id);
    if (!read) {
      return [];
    }
    const given = withoutUndefined(fields);
    // What was there before does not stand for what was sent instead and has no right form.
    const emptied = Object.fromEntries(Object.entries(emptyDraft).filter(([name]) => faulty.has(name)));
    return checkShape(deps, { kind: read.kind, given, draft: { ...read.draft, ...emptied, ...given } });
  },
  // Before the transaction: a kind may take its time.
  prepare: async (deps: ResourcesDeps, caller, sent) => {
    const { id, revision: _, ...fields } = sent;
    const read = await findRead(deps, caller, id);
    if (!read) {
      throw notFound();
    }
    const given = withoutUndefined(fields);
    const draft: Draft = { ...read.draft, ...given };
    assertShape(checkShape(deps, { kind: read.kind, given, draft }));
    // Two edits at the same moment are both kept; each is told what it made of the draft that it was made on.
    return findFindings(deps, toOwnDraft({ ...read, draft }, getUser(caller)));
  },
  run: async (deps: ResourcesDeps & InTransaction<Findings>, caller: Caller, { id, revision, ...fields }) => {
    const row = await lockOwn(deps.tx, id);
    if (revision !== undefined && revision !== row.revision) {
      const detail = `The draft is at revision ${row.revision}, and this edit was made on revision ${revision}.`;
      throw new Problem('precondition_failed', { detail });
    }
    const draft: Draft = { ...row.draft, ...withoutUndefined(fields) };
    const isSame = canonicalJson(draft) === canonicalJson(row.draft);
    const shown = await showChanged(deps, getUser(caller), isSame ? row : await store(deps, row, draft));
    return { ...shown, ...deps.prepared };
  },
});

async function findRead({ database }: ResourcesDeps, caller: Caller, id: string | undefined) {
  return id === undefined ? null : database.asUser(getUser(caller).userId, (tx) => findOwn(tx, id));
}

async function store(deps: ResourcesDeps & InTransaction<unknown>, row: ResourceRow, draft: Draft) {
  const { tx, clock } = deps;
  // A slug that nobody could have called yet changes at once; a published one when the draft is published.
  const slug = row.published_version_id === null ? draft.slug : row.slug;
  await moveSlug(tx, row, slug);
  const { rows } = await tx.query<ResourceRow>(
    `UPDATE x402_resources SET draft = $2, slug = $3, revision = revision + 1, updated_at = $4
       WHERE id = $1 RETURNING *`,
    [row.id, JSON.stringify(draft), slug, new Date(clock.now())],
  );
  return rows[0] as ResourceRow;
}

async function moveSlug(tx: Tx, row: ResourceRow, slug: string): Promise<void> {
  if (slug === row.slug) {
    return;
  }
  await tx.query('DELETE FROM x402_resource_slugs WHERE resource_id = $1', [row.id]);
  await claimSlug(tx, { ownerId: row.owner_id, resourceId: row.id, slug });
}
