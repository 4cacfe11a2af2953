import type { InTransaction } from '#database/index.ts';
import { operation, type Caller } from '#kit/index.ts';
import { modelView, toModelView } from './model-view.ts';
import type { Model } from './model.ts';
import { getNamedModel, modelPath } from './named-in-path.ts';
import type { ModelsDeps } from './open-models.ts';

export const getModel = operation({
  name: 'models.get',
  route: 'GET /api/models/:author/:slug',
  summary: 'Read one AI model, also one that is no longer listed',
  scope: 'public',
  input: modelPath,
  output: modelView,
  problems: ['not_found'],
  // The catalogue in memory is filled over a connection of its own.
  prepare: (deps: ModelsDeps, _caller, named) => getNamedModel(deps, named),
  run: async ({ prepared }: ModelsDeps & InTransaction<Model>, _caller: Caller) => toModelView(prepared),
});
