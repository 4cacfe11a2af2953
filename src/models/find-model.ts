import { modelColumns, type Model } from './model.ts';
import { readModelName } from './model-name.ts';
import type { ModelsDeps } from './open-models.ts';

type FindDeps = Pick<ModelsDeps, 'database' | 'cache'>;

/** PostgreSQL notifies on this channel after a sync that changed something: `forgetModels` then. */
export const modelsChannel = 'models_changed';

/** The catalogue in memory. */
export interface ModelIndex {
  models: readonly Model[];
  /** By exact id, canonical slug or uuid; what was renamed under its old id. */
  get(id: string): Model | null;
  /** The same for a name as people write it. */
  find(name: string): Model | null;
}

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

export function indexModels(models: readonly Model[]): ModelIndex {
  const bySlug = new Map<string, Model>();
  for (const model of models.filter(({ isActive }) => isActive)) {
    bySlug.set(toPermanentName(model), model);
  }
  const byName = new Map(models.flatMap((model) => [[model.id, model] as const, [model.openrouterId, model] as const]));
  const get = (id: string): Model | null => {
    const named = byName.get(id) ?? null;
    // The canonical slug stays when a model is renamed: https://openrouter.ai/docs/guides/overview/models
    return named?.isActive === false
      ? (bySlug.get(toPermanentName(named)) ?? named)
      : (named ?? bySlug.get(id) ?? null);
  };
  return {
    models,
    get,
    find: (name) =>
      readModelName(name)
        .map(({ id }) => get(id))
        .find((one) => one !== null) ?? null,
  };
}

/** A model and its variants of the catalogue, such as `:free`, share one canonical slug. */
function toPermanentName({ canonicalSlug, openrouterId }: Model): string {
  const [, variant] = openrouterId.split(':');
  return variant === undefined || canonicalSlug.includes(':') ? canonicalSlug : `${canonicalSlug}:${variant}`;
}
