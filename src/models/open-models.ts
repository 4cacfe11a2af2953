import type { Database, Tx } from '#database/index.ts';
import type { Clock, Log } from '#kit/index.ts';
import type { ModelIndex } from './find-model.ts';

export interface ModelsDeps {
  database: Database;
  /** Raw objects of `GET /models`, all output modalities. */
  fetchCatalogue(): Promise<unknown[]>;
  /**
   * Told inside the transaction of every sync that is applied, with the rights of the system. `findModelId` gives the uuid
   * of the row that a name means, however it is written, or null.
   */
  follow?: (tx: Tx, findModelId: (name: string) => string | null) => Promise<void>;
  clock: Clock;
  log: Log;
  /** The catalogue in memory; see `findModel` and `forgetModels`. */
  cache: ModelCache;
}

export interface ModelCache {
  loading: Promise<ModelIndex> | null;
}

export function openModels(deps: Omit<ModelsDeps, 'cache'>): ModelsDeps {
  return { ...deps, cache: { loading: null } };
}
