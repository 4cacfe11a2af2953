import type { Clock, Log } from '#kit/index.ts';
import type { Media } from '#media/index.ts';
import type { OddField, Pricing } from '#models/index.ts';
import type { PublishedVersion } from '#resources/index.ts';
import type { ChatCompletions, Outbound, Upstream } from '#upstreams/index.ts';

/** What execution needs to know of a model; `Model` of the catalogue has it. */
export interface KnownModel {
  openrouterId: string;
  outputModalities: readonly string[];
  contextLength: number | null;
  maxCompletionTokens: number | null;
  supportedParameters: readonly string[];
  isRouter: boolean;
  /** `YYYY-MM-DD` */
  expirationDate: string | null;
  isActive: boolean;
  pricing: Pricing;
  /** Since when the catalogue lacks it, while it does not count as gone yet. */
  missingSince: string | null;
  /** What of its newest entry could not be read, and since when. */
  oddFields: readonly OddField[];
  oddSince: string | null;
}

/** A key of the operator that stands in for creators who have none. */
export interface PlatformKey {
  apiKey: string;
  /** For whom: everybody, or these usernames. */
  policy: 'everybody' | readonly string[];
}

/** A finding that must stop the sale of one resource until its creator acts. */
export interface PauseRequest {
  resourceId: string;
  ownerId: string;
  /** For the creator. */
  cause: string;
}

export interface ExecutionDeps {
  openRouter: Upstream;
  chatCompletions: ChatCompletions;
  outbound: Pick<Outbound, 'open'>;
  /** By the exact id of the catalogue. Called on every paid call: from memory. */
  findModel(openrouterId: string): KnownModel | null | Promise<KnownModel | null>;
  /** The ids that whoever wrote this name may have meant. */
  findNearestModels(name: string): Promise<string[]>;
  /** The creator's key of a service, null when there is none that works. Called on every paid call: cached. */
  openCreatorKey(ownerId: string, service: string): Promise<{ apiKey: string } | null>;
  /** The key of a `chat_completions` upstream, kept as a secret of the resource. */
  openUpstreamKey(resource: Pick<PublishedVersion, 'resourceId' | 'ownerId'>): Promise<string | null>;
  platformKey: PlatformKey | null;
  media: Pick<Media, 'storeImage'>;
  /** A call found that the provider refuses the creator's key, or that no credit stands behind it: stop using it. */
  refuseCreatorKey(ownerId: string, refused: { service: string; apiKey: string; problem: string }): Promise<void>;
  pauseResource(request: PauseRequest): Promise<void>;
  clock: Clock;
  log: Log;
}
