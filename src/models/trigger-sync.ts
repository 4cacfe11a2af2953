import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, Problem, type Caller } from '#kit/index.ts';
import { changeKinds } from './apply-catalogue.ts';
import { forgetModels } from './find-model.ts';
import type { ModelsDeps } from './open-models.ts';
import { explainDoubt } from './judge-list.ts';
import { applyModels, fetchModels, type FetchedCatalogue } from './sync-models.ts';

const input = z.object({
  force: z
    .boolean()
    .default(false)
    .describe(
      'Believe the list even when more than a tenth of the models vanish at once or become free; what it lacks is gone at once',
    ),
});
const count = z.int().min(0);
const output = z.object({
  syncId: z.uuid(),
  status: z.enum(['applied', 'superseded']),
  counts: z
    .object({
      listed: count,
      skipped: count,
      odd: count,
      missing: count,
      ...Object.fromEntries(changeKinds.map((kind) => [kind, count])),
    })
    .nullable(),
  odd: z
    .array(
      z.object({
        openrouterId: z.string().nullable(),
        fields: z.array(z.object({ field: z.string(), found: z.string() })),
        isKept: z.boolean().describe('The model stays as the last good list described it; false: it was left out'),
      }),
    )
    .describe('What of the list could not be read'),
  missing: z.array(z.string()).describe('Models that this list lacks and that are kept until more lists lack them'),
  affectedResources: count.describe(
    'Sold resources whose model is missing, gone or told of in a way that cannot be read',
  ),
});

const nothing = { counts: null, odd: [], missing: [], affectedResources: 0 };

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
      // Returned: the record of the refused list is kept.
      return new Problem('unprocessable', {
        detail: `${explainDoubt(result)} Nothing was changed.`,
        next:
          result.reason === 'empty'
            ? 'Check the upstream.'
            : 'Check the upstream; send {"force": true} if this is meant.',
      });
    }
    const { syncId, status } = result;
    return result.status === 'applied' ? result : { syncId, status, ...nothing };
  },
});
