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
  listModelUses(tx: Tx): AsyncGenerator<WatchedUse[]>;
  /** What a call of a resource costs; null where nobody can tell. */
  quoteSold(tx: Tx, resourceId: string): Promise<WatchedQuote | null>;
  /** By the uuid of the model. */
  listEndingModels(until: string): Promise<ReadonlyMap<string, { openrouterId: string; expirationDate: string }>>;
  /** The uuid of the model that a name means. */
  findModelId(name: string): Promise<string | null>;
  listSubstitutes(
    model: string,
    asked: { promptTokens: number; completionTokens: number; limit: number },
  ): Promise<SubstituteOffer[]>;
  /** Caps of what owners spend a day, of which at least this part is taken today. */
  listUsedCaps(tx: Tx, leastPart: string): Promise<WatchedCap[]>;
  /** What is wrong with the operator's key that creators run on; null: nothing that is known. */
  findOperatorKeyProblem(): Promise<string | null>;
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

export interface WatchedCap {
  ownerId: string;
  capId: string;
  scope: 'key' | 'resource' | 'payer';
  /** For whom it counts: the id of a resource, or as `subject`. */
  subjectId: string;
  /** The same as its owner calls it: the slug of a resource, the address of a wallet, nothing of the key. */
  subject: string;
  /** It bounds each resource, or each wallet, by itself. */
  isEach: boolean;
  perDayUsd: string;
  spentUsd: string;
  /** `YYYY-MM-DD`, by UTC. */
  day: string;
  resetsAt: string;
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
  priceUsdc: string;
  quote(): Promise<WatchedQuote | null>;
}

/** A resource that is sold, and the models that it asks. */
export interface WatchedUse {
  ownerId: string;
  resourceId: string;
  slug: string;
  models: readonly string[];
}

interface WatchedQuote {
  typicalUsd: string;
  tokens?: { typicalInput: number; maxOutput: number };
}
