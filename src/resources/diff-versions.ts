import { z } from 'zod';
import type { Tx } from '#database/index.ts';
import { operation, Problem, type Caller } from '#kit/index.ts';
import { change, diffValues } from './diff-values.ts';
import { assertPublic, findOwnReadable, loadPublic, type ReadDeps } from './get-resource.ts';
import { loadVersion } from './load-version.ts';
import { getOwnVersion, noSuchVersion } from './own-version.ts';
import { toPublicResource } from './resource-view.ts';
import type { ResourceRow } from './tables.ts';
import { draftColumns, toVersionDraft, type DraftSource } from './version-draft.ts';

export const diffResourceVersions = operation({
  name: 'resources.diff_versions',
  route: 'GET /api/resources/:id/versions/:version/diff',
  summary:
    'What a version changed: for everybody in what is public, for its creator in the draft that it was made of. Compared with the version before unless told.',
  scope: 'public',
  input: z.strictObject({
    id: z.uuid(),
    version: z.coerce.number().int().min(1).max(999_999_999),
    against: z
      .union([z.literal('draft'), z.coerce.number().int().min(1).max(999_999_999)])
      .optional()
      .describe('The number of another version, or "draft": what the creator edits now.'),
  }),
  output: z.object({
    from: z.union([z.number(), z.literal('draft')]),
    to: z.union([z.number(), z.literal('draft')]),
    changes: z.array(change),
  }),
  problems: ['not_found', 'gone', 'forbidden'],
  run: async (deps: ReadDeps, caller: Caller, { id, version, against }) => {
    const own = await findOwnReadable(deps, caller, id);
    if (!own) {
      assertPublic(await loadPublic(deps, 'resource', [id]));
    }
    const read = own ? readOwn(deps.tx, own) : readPublic(deps, id);
    if (against === undefined && version === 1) {
      throw new Problem('not_found', { detail: 'The first version changed nothing: there was none before it.' });
    }
    const [from, to] = against === 'draft' ? [version, against] : [against ?? version - 1, version];
    return { from, to, changes: diffValues(await read(from), await read(to)) };
  },
});

type Read = (which: number | 'draft') => Promise<object>;

function readOwn(tx: Tx, row: ResourceRow): Read {
  return async (which) =>
    which === 'draft'
      ? row.draft
      : toVersionDraft(await getOwnVersion<DraftSource>(tx, { id: row.id, version: which }, draftColumns));
}

/** What everybody may see change. */
const compared = [
  'name',
  'description',
  'category',
  'tags',
  'priceUsdc',
  'priceFormula',
  'offers',
  'settlementPoint',
  'timeoutSeconds',
  'mediaRetentionSeconds',
  'parameters',
  'outputSchema',
  'details',
] as const;

function readPublic(deps: ReadDeps, id: string): Read {
  return async (which) => {
    if (which === 'draft') {
      throw new Problem('forbidden', { detail: 'Only its creator sees the draft of a resource.' });
    }
    const source = { nowMs: deps.clock.now() };
    const values = [id, String(which)];
    const found = await deps.asSystem((tx) => loadVersion({ ...source, pool: tx }, 'pinnedResource', values));
    const shown = toPublicResource(deps, found ?? noSuchVersion(which));
    return Object.fromEntries(compared.map((name) => [name, shown[name]]));
  };
}
