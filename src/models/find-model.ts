import { modelColumns, type Model } from './model.ts';
import { indexModels, type ModelIndex } from './model-index.ts';
import type { ModelsDeps } from './open-models.ts';

type FindDeps = Pick<ModelsDeps, 'database' | 'cache'>;

/** PostgreSQL notifies on this channel after a sync that changed something: `forgetModels` then. */
export const modelsChannel = 'models_changed';

/**
 * A model by its OpenRouter id, canonical slug or our uuid, from memory; also one that is no longer active, unless it was
 * renamed. The whole catalogue is read at the first call after a change.
 */
export async function findModel(deps: FindDeps, id: string): Promise<Model | null> {
  return (await readCatalogue(deps)).get(id);
}

/** The uuid of the row that a model's name means, however it is written. */
export async function findModelId(deps: FindDeps, name: string): Promise<string | null> {
  return (await readCatalogue(deps)).find(name)?.id ?? null;
}

/** To be called on every notification of `modelsChannel` and after every reconnection of the listener. */
export function forgetModels(deps: Pick<ModelsDeps, 'cache'>): void {
  deps.cache.loading = null;
  deps.cache.endpoints = null;
}

export async function readCatalogue(deps: FindDeps): Promise<ModelIndex> {
  deps.cache.loading ??= loadModels(deps);
  const loading = deps.cache.loading;
  try {
    return await loading;
  } catch (error) {
    if (deps.cache.loading === loading) {
      deps.cache.loading = null;
    }
    throw error;
  }
}

async function loadModels({ database }: FindDeps): Promise<ModelIndex> {
  const { rows } = await database.system.query<Model>(`SELECT ${modelColumns} FROM ai_models`);
  return indexModels(rows);
}
