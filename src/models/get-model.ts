import { z } from 'zod';
import { operation, Problem } from '#kit/index.ts';
import { findModel } from './find-model.ts';
import { modelView, toModelView } from './model-view.ts';
import type { ModelsDeps } from './open-models.ts';

const input = z.object({ author: z.string().max(200), slug: z.string().max(200) });

export const getModel = operation<ModelsDeps, typeof input, typeof modelView>({
  name: 'models.get',
  route: 'GET /api/models/:author/:slug',
  summary: 'Read one AI model, also one that is no longer listed',
  scope: 'public',
  input,
  output: modelView,
  run: async (deps, _caller, { author, slug }) => {
    const model = await findModel(deps, `${author}/${slug}`);
    if (!model) {
      throw new Problem('not_found', {
        detail: 'No model of this id is in the catalogue.',
        next: 'Search for it with GET /api/models?q=….',
      });
    }
    return toModelView(model);
  },
});
