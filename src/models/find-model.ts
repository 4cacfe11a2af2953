import { modelColumns, type Model } from './model.ts';
import type { ModelsDeps } from './open-models.ts';

type FindDeps = Pick<ModelsDeps, 'database' | 'cache'>;

/** PostgreSQL notifies on this channel after a sync that changed something: `forgetModels` then. */
export const modelsChannel = 'models_changed';

/**
 * A model by its OpenRouter id or our uuid, from memory; also one that is no longer active.
 * The whole catalogue is read at the first call after a change.
 */
export async function findModel(deps: FindDeps, id: string): Promise<Model | null> {
  deps.cache.loading ??= loadModels(deps);
  const loading = deps.cache.loading;
  try {
    return (await loading).get(id) ?? null;
  } catch (error) {
    if (deps.cache.loading === loading) {
      deps.cache.loading = null;
    }
    throw error;
  }
}

/** To be called on every notification of `modelsChannel` and after every reconnection of the listener. */
export function forgetModels(deps: Pick<ModelsDeps, 'cache'>): void {
  deps.cache.loading = null;
}

async function loadModels({ database }: FindDeps): Promise<ReadonlyMap<string, Model>> {
  const { rows } = await database.system.query<Model>(`SELECT ${modelColumns} FROM ai_models`);
  return new Map(rows.flatMap((model) => [[model.id, model] as const, [model.openrouterId, model] as const]));
}
