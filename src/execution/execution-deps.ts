import type { Clock, Log } from '#kit/index.ts';
import type { Media } from '#media/index.ts';
import type { ModelEndpoint, OddField, Pricing } from '#models/index.ts';
import type { PauseRequest, PublishedVersion } from '#resources/index.ts';
import type { ChatCompletions, MediaUpstream, Outbound, Upstream } from '#upstreams/index.ts';

/** What execution needs to know of a model; `Model` of the catalogue has it. */
export interface KnownModel {
  openrouterId: string;
  inputModalities: readonly string[];
  outputModalities: readonly string[];
  contextLength: number | null;
  maxCompletionTokens: number | null;
  supportedParameters: readonly string[];
  isRouter: boolean;
  /** `YYYY-MM-DD` */
  expirationDate: string | null;
  isActive: boolean;
  pricing: Pricing;
  /** The providers that serve it; null or absent: nobody has told. */
  endpoints?: readonly ModelEndpoint[] | null;
  /** Since when the catalogue lacks it, while it does not count as gone yet. */
  missingSince: string | null;
  /** What of its newest entry could not be read, and since when. */
  oddFields: readonly OddField[];
  oddSince: string | null;
  /** Names of voices that it speaks with; null where the catalogue tells none. */
  voices: readonly string[] | null;
}

/** A key of the operator that stands in wherever a creator has none that works: none stored, refused, or switched off. */
export interface PlatformKey {
  apiKey: string;
  /** For whom: everybody, or these usernames. */
  policy: 'everybody' | readonly string[];
  /** None: a creator may spend any amount of it. */
  budget?: PlatformBudget;
  /** None: it is taken to work. */
  health?: PlatformHealth;
}

/** Whether the operator's key works, over all processes. */
export interface PlatformHealth {
  /** Seconds until it is tried again; null where nothing is known to stand against it. Asked on every call: may be a few seconds old. */
  findOutage(): Promise<number | null>;
  /** A call found that it is refused: it is not used for a minute. `problem` is for the operator. */
  report(problem: string): Promise<void>;
  /** A call found that it may be used up: its provider is asked. Never rejects. */
  check(): Promise<void>;
}

/** The transaction of a caller. */
export interface ShareTx {
  query(text: string, values: unknown[]): Promise<unknown>;
}

export interface BudgetedCall {
  callId: string;
  worstUsd: string;
}

/** What each covered creator may spend of the operator's key in a day, counted over all processes. USD as decimals. */
export interface PlatformBudget {
  /** Is there room for one more run with this worst case? Asked on every call: may be a few seconds old. */
  hasRoom(ownerId: string, worstUsd: string): Promise<boolean>;
  /** Sets the worst case of a call aside before it runs; false where it does not fit beside what is spent and set aside. */
  hold(ownerId: string, call: BudgetedCall): Promise<boolean>;
  /** A call that was held and not begun: it is not run after all. */
  release(callId: string): Promise<void>;
  /** Begins one run, with what was held for the call or with as much anew; null where it does not fit. */
  reserve(ownerId: string, call: BudgetedCall): Promise<string | null>;
  /** What the run did cost; null where nobody knows, and its worst case stays counted. */
  close(reservationId: string, costUsd: string | null): Promise<void>;
  /** What a run of the call did cost that was closed without a figure: it counts with this instead of its worst, once a run. */
  correct(tx: ShareTx, callId: string, costUsd: string): Promise<void>;
  /** Until the day is over. */
  retryAfterSeconds(): number;
  dailyUsd: string;
}

export interface ExecutionDeps {
  openRouter: Upstream;
  /** The same upstream for what is no chat. */
  openRouterMedia: MediaUpstream;
  chatCompletions: ChatCompletions;
  outbound: Pick<Outbound, 'open'>;
  /** By the exact id of the catalogue. Called on every paid call: from memory. */
  findModel(openrouterId: string): KnownModel | null | Promise<KnownModel | null>;
  /** Asks who serves a model, by the exact id of the catalogue, unless that was asked lately. Never rejects. */
  refreshEndpoints?(openrouterId: string): Promise<void>;
  /** What buying credit at OpenRouter costs on top, in percent. */
  creditFeePercent?: string;
  /** The ids that whoever wrote this name may have meant. */
  findNearestModels(name: string): Promise<string[]>;
  /** The creator's key of a service, null when there is none that works. Called on every paid call: cached. */
  openCreatorKey(ownerId: string, service: string): Promise<{ apiKey: string } | null>;
  /** Why there is none, and what to do; for the creator. */
  explainMissingKey(ownerId: string, service: string): Promise<string>;
  /** The key of a `chat_completions` upstream, kept as a secret of the resource. */
  openUpstreamKey(resource: Pick<PublishedVersion, 'resourceId' | 'ownerId'>): Promise<string | null>;
  platformKey: PlatformKey | null;
  media: Pick<Media, 'readInput' | 'store'>;
  /** A call found that the provider refuses the creator's key, or that no credit stands behind it: stop using it. */
  refuseCreatorKey(ownerId: string, refused: { service: string; apiKey: string; problem: string }): Promise<void>;
  /** A call found that the creator's key may be used up: ask its provider, and stop using it if so. Goes on by itself. */
  checkCreatorKey(ownerId: string, service: string): void;
  /** How the last runs of a version ended, over all processes, newest first; without tests. */
  listLastRuns(asked: {
    resourceId: string;
    versionId: string;
    exceptCallId: string;
    limit: number;
    since: Date;
  }): Promise<{ payer: string | null; status: string; cause: string | null }[]>;
  /** A call found what must stop the sale of the resource. */
  pauseResource(request: Omit<PauseRequest, 'by'>): Promise<void>;
  clock: Clock;
  log: Log;
}
