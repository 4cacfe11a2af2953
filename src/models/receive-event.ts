import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, type Caller } from '#kit/index.ts';
import type { ModelsDeps } from './open-models.ts';
import { fetchModels, type FetchedCatalogue } from './sync-models.ts';
import { triggerSync } from './trigger-sync.ts';

const input = z.strictObject({
  name: z
    .literal('openrouter/models.sync')
    .describe('Which event: the catalogue of models is to be brought up to date'),
  data: triggerSync.input.optional(),
});

/** For event systems, which name what happened instead of calling what is to be done. */
export const receiveEvent = operation({
  name: 'models.event',
  route: 'POST /api/admin/events',
  summary: 'Take an event of another system: openrouter/models.sync brings the catalogue of AI models up to date',
  scope: 'admin',
  input,
  output: triggerSync.output,
  problems: triggerSync.problems ?? [],
  prepare: (deps: ModelsDeps, _caller) => fetchModels(deps, 'event'),
  run: (deps: ModelsDeps & InTransaction<FetchedCatalogue>, caller: Caller, { data }) =>
    triggerSync.run(deps, caller, { force: data?.force ?? false }),
});
