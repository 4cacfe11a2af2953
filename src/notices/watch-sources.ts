import type { Tx } from '#database/index.ts';
import type { SubstituteOffer } from './event.ts';

/** What the watched modules tell; each is asked inside the look that judges it, but for the network. */
export interface WatchSources {
  listBalances(): Promise<WatchedBalance[]>;
  listOwed(tx: Tx, until: Date): Promise<{ ownerId: string; resourceId: string; calls: number; since: Date }[]>;
  listErrorRates(tx: Tx, asked: { since: Date; usualSince: Date; leastFailures: number }): Promise<WatchedErrors[]>;
  listLosses(
    tx: Tx,
    since: Date,
  ): Promise<{ ownerId: string; resourceId: string; earnedUsdc: string; costUsd: string }[]>;
  listSlugs(tx: Tx, resourceIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  listSold(tx: Tx): AsyncGenerator<WatchedResource[]>;
  /** By the uuid of the model. */
  listEndingModels(until: string): Promise<ReadonlyMap<string, { openrouterId: string; expirationDate: string }>>;
  /** The uuid of the model that a name means. */
  findModelId(name: string): Promise<string | null>;
  listSubstitutes(
    model: string,
    asked: { promptTokens: number; completionTokens: number; limit: number },
  ): Promise<SubstituteOffer[]>;
  /** Asks the network. */
  listGas(): Promise<{ network: string; addresses: readonly string[]; settlements: number }[]>;
  /** The accounts of the operator. */
  listOperators(tx: Tx): Promise<string[]>;
}

export interface WatchedBalance {
  ownerId: string;
  service: string;
  provider: string;
  keyHash: string;
  creditsUsd: string | null;
  limitUsd: string | null;
  limitLeftUsd: string | null;
  limitReset: string | null;
}

export interface WatchedErrors {
  ownerId: string;
  resourceId: string;
  calls: number;
  failures: number;
  usualCalls: number;
  usualFailures: number;
  problem: string | null;
}

export interface WatchedResource {
  ownerId: string;
  resourceId: string;
  slug: string;
  models: readonly string[];
  priceUsdc: string;
  quote(): Promise<WatchedQuote | null>;
}

interface WatchedQuote {
  typicalUsd: string;
  tokens?: { typicalInput: number; maxOutput: number };
}
