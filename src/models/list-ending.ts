import { readCatalogue } from './find-model.ts';
import { findSubstitutes, type Usage } from './find-substitutes.ts';
import type { ModelsDeps } from './open-models.ts';

type CatalogueDeps = Pick<ModelsDeps, 'database' | 'cache'>;

export interface EndingModel {
  id: string;
  openrouterId: string;
  /** `YYYY-MM-DD`. */
  expirationDate: string;
}

/** Models whose announced end is at most on that day (`YYYY-MM-DD`) and that are still offered, by the uuid of their rows. */
export async function listEndingModels(deps: CatalogueDeps, until: string): Promise<ReadonlyMap<string, EndingModel>> {
  const { models } = await readCatalogue(deps);
  return new Map(
    models.flatMap(({ id, openrouterId, expirationDate, isActive }) =>
      isActive && expirationDate !== null && expirationDate <= until
        ? [[id, { id, openrouterId, expirationDate }] as const]
        : [],
    ),
  );
}

export interface PricedSubstitute {
  model: string;
  costUsd: string;
  differenceUsd: string | null;
}

/** What can do all that a model does, the cheapest first, with what such a call costs on it; none for an unknown name. */
export async function listPricedSubstitutes(
  deps: CatalogueDeps,
  name: string,
  { limit, ...usage }: Usage & { limit: number },
): Promise<PricedSubstitute[]> {
  const index = await readCatalogue(deps);
  const model = index.find(name);
  const found = model ? findSubstitutes(model, index.models, usage) : [];
  return found
    .slice(0, limit)
    .map(({ model: one, costUsd, differenceUsd }) => ({ model: one.openrouterId, costUsd, differenceUsd }));
}
