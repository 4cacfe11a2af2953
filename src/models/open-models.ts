import type { Database, Tx } from '#database/index.ts';
import type { Clock, Log } from '#kit/index.ts';
import type { KeptEndpoints } from './endpoint.ts';
import type { ModelIndex } from './model-index.ts';

export interface ModelsDeps {
  database: Database;
  /** Raw objects of `GET /models`, all output modalities. */
  fetchCatalogue(): Promise<unknown[]>;
  /** Raw endpoints of `GET /models/{author}/{slug}/endpoints`; null: the upstream knows no such model. */
  fetchEndpoints?(openrouterId: string): Promise<unknown[] | null>;
  /**
   * Told inside the transaction of every sync that is applied, with the rights of the system; answers how many resources
   * that are sold use a model with which something is wrong.
   */
  follow?: (tx: Tx, catalogue: SyncedCatalogue) => Promise<number>;
  clock: Clock;
  log: Log;
  /** The catalogue in memory; see `findModel` and `forgetModels`. */
  cache: ModelCache;
}

export interface CatalogueChange {
  openrouterId: string;
  kind: 'price' | 'removed';
  /** What a token of prompt and answer cost before and costs now, in USD; null where it is not told. */
  before: TokenPrice;
  after: TokenPrice;
}

export type TokenPrice = { prompt: string | null; completion: string | null };

/** The catalogue as a sync has just left it; models are uuids of their rows. */
export interface SyncedCatalogue {
  activeIds: string[];
  /** Missing, gone, or told of in a way that cannot be read. */
  troubledIds: string[];
  syncId: string;
  /** Models that have another price or are gone since the list before, by the uuids of their rows. */
  changed: ReadonlyMap<string, CatalogueChange>;
  /** Of the model that a name means, however it is written. */
  findId(name: string): string | null;
}

export interface ModelCache {
  loading: Promise<ModelIndex> | null;
  endpoints: Promise<ReadonlyMap<string, KeptEndpoints>> | null;
  /** Models whose providers are being asked for now. */
  asking: Map<string, Promise<void>>;
  /** Models whose providers a resource has needed since the last turn of `refreshWanted`. */
  wanted: Set<string>;
}

export function openModels(deps: Omit<ModelsDeps, 'cache'>): ModelsDeps {
  return { ...deps, cache: { loading: null, endpoints: null, asking: new Map(), wanted: new Set() } };
}
