import { findModel } from './find-model.ts';
import type { KeptEndpoints, ModelEndpoint } from './endpoint.ts';
import type { Model } from './model.ts';
import type { ModelsDeps } from './open-models.ts';

/** A model with the providers that are known to serve it; null: nobody has told. */
export interface PricedModel extends Model {
  endpoints: readonly ModelEndpoint[] | null;
}

export const endpointColumns = `openrouter_id AS "openrouterId", endpoints, fetched_at AS "fetchedAt",
  tried_at AS "triedAt", problem`;

type FindDeps = Pick<ModelsDeps, 'database' | 'cache'>;

/** Both from memory. What is asked for here is read again from time to time (`refreshWanted`). */
export async function findPricedModel(deps: FindDeps, id: string): Promise<PricedModel | null> {
  const model = await findModel(deps, id);
  if (model === null) {
    return null;
  }
  deps.cache.wanted.add(model.openrouterId);
  const { endpoints = null } = (await readEndpoints(deps)).get(model.openrouterId) ?? {};
  return join(model, endpoints);
}

const joined = new WeakMap<Model, PricedModel>();

/** The same object while nothing has changed: what is made of it can be remembered with it. */
function join(model: Model, endpoints: PricedModel['endpoints']): PricedModel {
  const known = joined.get(model);
  if (known && known.endpoints === endpoints) {
    return known;
  }
  const made = { ...model, endpoints };
  joined.set(model, made);
  return made;
}

/** All that are kept, by the id of their model; read at the first call after a change. */
export async function readEndpoints(deps: FindDeps): Promise<ReadonlyMap<string, KeptEndpoints>> {
  deps.cache.endpoints ??= loadEndpoints(deps);
  const loading = deps.cache.endpoints;
  try {
    return await loading;
  } catch (error) {
    if (deps.cache.endpoints === loading) {
      deps.cache.endpoints = null;
    }
    throw error;
  }
}

async function loadEndpoints({ database }: FindDeps): Promise<ReadonlyMap<string, KeptEndpoints>> {
  const { rows } = await database.system.query<KeptEndpoints>(`SELECT ${endpointColumns} FROM ai_model_endpoints`);
  return new Map(rows.map((row) => [row.openrouterId, row]));
}
