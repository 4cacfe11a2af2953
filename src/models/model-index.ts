import type { Model } from './model.ts';
import { readModelName } from './model-name.ts';

/** The catalogue in memory. */
export interface ModelIndex {
  models: readonly Model[];
  /** By exact id, canonical slug or uuid; what was renamed under its old id. */
  get(id: string): Model | null;
  /** The same for a name as people write it. */
  find(name: string): Model | null;
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
