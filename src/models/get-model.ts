import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, Problem, type Caller } from '#kit/index.ts';
import { findModel } from './find-model.ts';
import { modelView, toModelView } from './model-view.ts';
import type { Model } from './model.ts';
import type { ModelsDeps } from './open-models.ts';

const input = z.object({ author: z.string().max(200), slug: z.string().max(200) });

export const getModel = operation({
  name: 'models.get',
  route: 'GET /api/models/:author/:slug',
  summary: 'Read one AI model, also one that is no longer listed',
  scope: 'public',
  input,
  output: modelView,
  problems: ['not_found'],
  // The catalogue in memory is filled over a connection of its own.
  prepare: (deps: ModelsDeps, _caller, { author, slug }) => findModel(deps, `${author}/${slug}`),
  run: async ({ prepared: model }: ModelsDeps & InTransaction<Model | null>, _caller: Caller) => {
    if (!model) {
      throw new Problem('not_found', {
        detail: 'No model of this id is in the catalogue.',
        next: 'Search for it with GET /api/models?q=….',
      });
    }
    return toModelView(model);
  },
});
