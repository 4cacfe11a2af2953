import { z } from 'zod';
import { Problem } from '#kit/index.ts';
import { readCatalogue } from './find-model.ts';
import { findNearestModels } from './find-nearest.ts';
import type { Model } from './model.ts';
import type { ModelsDeps } from './open-models.ts';

/** The two parts of a model's id, as paths hold them. */
export const modelPath = z.object({ author: z.string().max(200), slug: z.string().max(200) });

/** The model that a path names, also one that is no longer listed. Throws `not_found` with the nearest ids. */
export async function getNamedModel(
  deps: Pick<ModelsDeps, 'database' | 'cache'>,
  { author, slug }: z.output<typeof modelPath>,
): Promise<Model> {
  const name = `${author}/${slug}`;
  const model = (await readCatalogue(deps)).find(name);
  if (model) {
    return model;
  }
  throw new Problem('not_found', { detail: `No model "${name}" is in the catalogue.`, next: await toNext(deps, name) });
}

async function toNext(deps: Pick<ModelsDeps, 'database' | 'cache'>, name: string): Promise<string> {
  if (name.split('/').length > 2) {
    return 'The slash of an id stands in the path as it is, not as %2F: GET /api/models/openai/gpt-4o-mini.';
  }
  const nearest = await findNearestModels(deps, name);
  return nearest.length > 0
    ? `Did you mean ${nearest.join(' or ')}? Or search with GET /api/models?q=….`
    : 'Search for it with GET /api/models?q=….';
}
