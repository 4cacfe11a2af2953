import type { Database } from '#database/index.ts';
import type { Clock, Log } from '#kit/index.ts';
import type { Model } from './model.ts';

export interface ModelsDeps {
  database: Database;
  /** Raw objects of `GET /models`, all output modalities. */
  fetchCatalogue(): Promise<unknown[]>;
  clock: Clock;
  log: Log;
  /** The catalogue in memory; see `findModel` and `forgetModels`. */
  cache: ModelCache;
}

export interface ModelCache {
  loading: Promise<ReadonlyMap<string, Model>> | null;
}

export function openModels(deps: Omit<ModelsDeps, 'cache'>): ModelsDeps {
  return { ...deps, cache: { loading: null } };
}
