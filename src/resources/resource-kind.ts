import type { z } from 'zod';
import type { FieldProblem, Json } from '#kit/index.ts';
import type { JsonObject, Outcome } from './answer.ts';
import type { BatchTerms } from './batch-terms.ts';
import type { categories } from './category.ts';
import type { UseMeasure } from './measured-use.ts';
import type { Parameter } from './parameter.ts';
import type { PriceFormula } from './price-formula.ts';

export type JsonSchema = JsonObject;

/**
 * When the buyer's money moves: once the answer is usable, at the first usable part of it, or before anything runs.
 * After a failure the first costs the buyer nothing; where money has moved, the call is owed.
 */
export type SettlementPoint = (typeof settlementPoints)[number];
export const settlementPoints = ['on_success', 'at_first_output', 'upfront'] as const;

export interface CostQuote {
  /** Decimal strings, USD per call. */
  typicalUsd: string;
  worstUsd: string;
  /** In words: which token counts and prices were assumed. */
  basis: string;
  /** What buying the credit that pays for it costs on top, in percent, such as "5.5". Absent: nothing. */
  feePercent?: string;
  /** Of one call: of the prompt typically and at worst, and the most that is written. */
  tokens?: { typicalInput: number; worstInput: number; maxOutput: number; typicalOutput?: number };
}

/** Whose call is quoted, and with what; without `input`: any that the parameters allow. */
export interface QuotedFor {
  ownerId: string;
  input?: Record<string, unknown>;
}

/** Why nobody knows before a call what it costs, for the creator, who may sell it all the same where that `mayBeAccepted`. */
export interface Unpriced {
  why: string;
  mayBeAccepted: boolean;
}

/** What a kind of resource does; a record of functions, implemented in execution/kinds and listed in plugins.ts. */
export interface ResourceKind<Config = unknown> {
  name: string;
  /** Its name for people, and in one sentence what a creator gets. */
  title: string;
  summary: string;
  /** What the creator edits. Its output is stored in the version. */
  configSchema: z.ZodType<Config>;
  /** The kind's own part of the evidence; what does not fit is not kept. */
  evidenceSchema: z.ZodType<JsonObject>;
  /** What a buyer gets, without the receipt that goes with it; and one such answer. For documents, clients and the 402. */
  answerSchema: z.ZodType<JsonObject>;
  answerExample: JsonObject;
  /** The same of one version, where what its config asks for narrows it; null for all that the kind may answer. */
  answerOf?(config: Config): { schema: z.ZodType<JsonObject>; example: JsonObject } | null;
  /**
   * The JSON that a config promises with each answer as `output`: its schema, and one that fits where one is known. The
   * answer is judged as a whole, so nothing of it can be sold before its end. Null or absent: none is promised.
   */
  outputOf?(config: Config): { schema: JsonSchema; example: JsonObject | null } | null;
  /** Whether only an answer that has ended well is sold, so that money cannot move at its first part. Absent: no. */
  sellsOnlyWhole?(config: Config): boolean;
  /** At least one; each can be published as it is once it has a network and a payee. */
  examples: readonly [DraftExample, ...DraftExample[]];
  /** Members of the config that hold templates: a tag in them that cannot be read is refused with the save. */
  templateFields?: readonly string[];
  /** Its runs take the files of file parameters, as they are kept for the call. Absent: it has no such parameters. */
  readsFiles?: boolean;
  /** What a version may choose from; what its config forbids is for `checkPublishable`. Absent: `on_success` alone. */
  settlementPoints?: readonly SettlementPoint[];
  /** Template tags, model exists and fits … Paths are JSON Pointers into the draft: `/config/…` or `/parameters/…`. */
  checkPublishable(config: Config, parameters: Parameter[], ownerId: string): Promise<FieldProblem[]>;
  /** What can be published but may not be meant. Paths as those of `checkPublishable`, also `/priceUsdc` and the like. */
  listWarnings?(
    config: Config,
    draft: { parameters: Parameter[]; offers: VersionOffer[]; ownerId: string },
  ): Promise<FieldProblem[]>;
  /** Allow-list for the public view; never the template. */
  toPublic(config: Config): Record<string, unknown>;
  /** Asked before any money moves. */
  isReady(version: PublishedVersion): Promise<Readiness>;
  /**
   * Sets aside what is limited of the run of this call, before its payment may move; the run uses it. Absent: nothing is.
   * Not ready: there is not enough of it left. `runs`: how many one call consists of.
   */
  holdRun?(version: PublishedVersion, callId: string, runs: number): Promise<Readiness>;
  /** The call for which `holdRun` was asked is not run after all. */
  releaseRun?(callId: string): Promise<void>;
  /** Runs once. Resolves with an answer in parts as soon as they may come; the parts obey the signal too. */
  run(version: PublishedVersion, input: Record<string, unknown>, context: RunContext): Promise<Outcome>;
  /** What a call costs its creator by the catalogue's prices; null where nobody knows. */
  quoteCost?(config: Config, parameters: Parameter[], quoted: QuotedFor): Promise<CostQuote | null>;
  /** Why this cannot be quoted, and so not be sold at a fixed price as it is. Null or absent: it may be sold. */
  explainUnpriced?(config: Config): Promise<Unpriced | null>;
  /** Buyers may add a free text as `user_message`. Absent: never. */
  allowsUserMessage?(config: Config): boolean;
  /** The service whose key of the owner a resource needs: it pauses when that key goes. Null or absent: none. */
  integrationOf?(config: Config): string | null;
  /** The models that it asks, in their order and as the config names them; the first is what a version is known by. */
  modelIdsOf?(config: Config): string[];
  /** The same configuration on this one model: for its owner, who compares models. Absent: it asks none. Undefined: not as it is configured. */
  withModel?(config: Config, model: string): Config | undefined;
  /** Asks the creator's own upstream which models it has, for its owner; absent: there is none to be asked. */
  listUpstreamModels?(
    version: PublishedVersion,
  ): Promise<{ models: readonly string[]; isListed: boolean | null; problem: string | null }>;
  /** What the upstream would be sent for this input: shown to the owner who tries a draft, and to nobody else. */
  showPrompt?(version: PublishedVersion, input: Record<string, unknown>): { role: string; content: string }[];
}

/** Can it run now? */
export type Readiness =
  | { ready: true }
  | {
      ready: false;
      /** `code: what is wrong and what to do about it`; for the creator only. */
      cause: string;
      /** It comes back by itself, so nothing is paused for it. */
      retryAfterSeconds?: number;
      /** It waits for the owner's key of the service that `integrationOf` names, and is resumed with it. */
      lacksKey?: boolean;
    };

/** What a creator may send to make a resource of a kind, without network and payee. */
export interface DraftExample {
  slug: string;
  name: string;
  description: string;
  category: (typeof categories)[number];
  priceUsdc: string;
  parameters: readonly JsonObject[];
  config: JsonObject;
  /** What a buyer sends as `user_message`, where the config allows one. */
  userMessage?: string;
}

export interface RunContext {
  callId: string;
  payer: string | null;
  signal: AbortSignal;
  /** Milliseconds since the epoch. */
  deadlineMs: number;
  isTest: boolean;
  /** The answer may go out while it is made: a kind that can gives it in parts. */
  inParts?: boolean;
  /** The kind's own quote of the most that this run costs, USD as a decimal; null where nobody knows. */
  quoteWorst?(): Promise<string | null>;
  /** Tells how far a run that takes long has come. */
  report?(progress: { percent?: number; note?: string }): void;
  /**
   * One value of this call that outlives the process: where a job already begun at the upstream stands. A run that is begun
   * again after a crash finds it and does not begin the job, and its cost, a second time.
   */
  checkpoint?: { load(): Promise<Json | null>; save(value: Json): Promise<void> };
}

/**
 * `owner` ends by resuming only. `key`: the owner's key is missing; `readiness`: something else that running needs is;
 * `fault`: a call found it. These end by themselves when their cause is gone.
 */
export const pauseReasons = ['owner', 'key', 'readiness', 'fault'] as const;
export type PausedBy = (typeof pauseReasons)[number];

/** One way to pay for a call. The asset is the one that the scheme takes on the network. */
export interface VersionOffer {
  /** Name of an x402 scheme. */
  scheme: string;
  /** CAIP-2. */
  network: string;
  amountAtomic: bigint;
  /** As the network writes addresses. */
  payTo: string;
}

/** An earlier version of the same resource whose offers may still be paid until `until`. */
export interface SupersededOffers extends Pick<
  PublishedVersion,
  'versionId' | 'offers' | 'priceFormula' | 'batch' | 'settlementPoint' | 'timeoutSeconds' | 'runsLong' | 'publishedAt'
> {
  /** As of a version. */
  batchOf?: Pick<SupersededOffers, 'offers' | 'priceFormula' | 'priced'>;
  until: Date;
  /** What its price formula counts, as it read that itself; absent where it has none. */
  priced?: Pick<PublishedVersion, 'parameters' | 'inputSchema'>;
}

/** What buyers call: an immutable snapshot, held in memory. */
export interface PublishedVersion {
  resourceId: string;
  versionId: string;
  version: number;
  /** Called by its number: it stays this version whatever is published after it, and nothing else can be paid. */
  isPinned?: true;
  /** Archived under its number alone. */
  isWithdrawn?: true;
  ownerId: string;
  /** The owner's username. */
  creator: string;
  slug: string;
  kind: string;
  name: string;
  description: string;
  category: string;
  tags: string[];
  state: 'published' | 'paused' | 'archived';
  /** For the creator only. */
  pauseCause: string | null;
  pausedBy: PausedBy | null;
  /** Of the first offer; 0n: free. */
  priceAtomic: bigint;
  /** In the creator's order of preference, one a scheme and network; empty when free. */
  offers: VersionOffer[];
  /** What of these amounts a call costs, by its input; absent: all. */
  priceFormula?: PriceFormula;
  /** What a call is worth by what it used; absent: that is not measured. */
  useMeasure?: UseMeasure;
  settlementPoint: SettlementPoint;
  /** The most that one call may lose its creator, USD; null: published before that was asked. */
  maxLossUsd: string | null;
  timeoutSeconds: number;
  /** How many inputs one call may carry at the most; absent: one. */
  batch?: BatchTerms;
  /** Many inputs in one call: what each of them is run by. Absent: a call is one input. */
  batchOf?: PublishedVersion;
  /** Its calls are answered with 202 and carried out behind it. */
  runsLong?: true;
  /** How long files of its answers are kept. */
  mediaRetentionSeconds: number;
  parameters: Parameter[];
  inputSchema: JsonSchema;
  config: unknown;
  publishedAt: Date;
  superseded: SupersededOffers[];
}

export function toSettlementPoints({ settlementPoints: offered }: ResourceKind): readonly SettlementPoint[] {
  return offered ?? ['on_success'];
}
