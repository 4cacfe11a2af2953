import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, Problem, type Caller } from '#kit/index.ts';
import { readCatalogue } from './find-model.ts';
import { findNearestModels } from './find-nearest.ts';
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
  prepare: async (deps: ModelsDeps, _caller, { author, slug }) => {
    const name = `${author}/${slug}`;
    const model = (await readCatalogue(deps)).find(name);
    return { model, nearest: model ? [] : await findNearestModels(deps, name) };
  },
  run: async (
    { prepared }: ModelsDeps & InTransaction<{ model: Model | null; nearest: string[] }>,
    _caller: Caller,
  ) => {
    const { model, nearest } = prepared;
    if (!model) {
      throw new Problem('not_found', {
        detail: 'No model of this id is in the catalogue.',
        next:
          nearest.length > 0
            ? `Did you mean ${nearest.join(' or ')}? Or search with GET /api/models?q=….`
            : 'Search for it with GET /api/models?q=….',
      });
    }
    return toModelView(model);
  },
});
