import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, Problem, type Caller } from '#kit/index.ts';
import { changeKinds } from './apply-catalogue.ts';
import { forgetModels } from './find-model.ts';
import type { ModelsDeps } from './open-models.ts';
import { applyModels, fetchModels, type FetchedCatalogue } from './sync-models.ts';

const input = z.object({
  force: z.boolean().default(false).describe('Apply the list even when more than 30 % of the models vanish'),
});
const count = z.int().min(0);
const output = z.object({
  syncId: z.uuid(),
  status: z.enum(['applied', 'superseded']),
  counts: z
    .object({ listed: count, skipped: count, ...Object.fromEntries(changeKinds.map((kind) => [kind, count])) })
    .nullable(),
});

export const triggerSync = operation({
  name: 'models.sync',
  route: 'POST /api/admin/sync-models',
  summary: 'Bring the catalogue of AI models up to date now',
  scope: 'admin',
  input,
  output,
  problems: ['unprocessable', 'upstream_failed', 'upstream_timeout', 'unavailable'],
  prepare: (deps: ModelsDeps, _caller) => fetchModels(deps, 'admin'),
  run: async (deps: ModelsDeps & InTransaction<FetchedCatalogue>, _caller: Caller, { force }) => {
    const result = await deps.asSystem((tx) => applyModels({ ...deps, tx }, deps.prepared, { force }));
    deps.afterCommit(() => forgetModels(deps));
    if (result.status === 'refused') {
      const isEmpty = result.reason === 'empty';
      // Returned: the record of the refused list is kept.
      return new Problem('unprocessable', {
        detail: isEmpty
          ? 'The upstream lists no model that can be read. Nothing was changed.'
          : `${result.vanished} of ${result.active} active models would vanish. Nothing was changed.`,
        next: isEmpty ? 'Check the upstream.' : 'Check the upstream; send {"force": true} if this is meant.',
      });
    }
    return { syncId: result.syncId, status: result.status, counts: result.status === 'applied' ? result.counts : null };
  },
});
