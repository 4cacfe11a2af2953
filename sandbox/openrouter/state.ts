import type { AdjustableClock } from './adjustable-clock.ts';
import type { Catalogue } from './catalogue.ts';
import type { Completion } from './completion.ts';
import type { ApiKey } from './api-key.ts';
import type { ContentStore } from './content-store.ts';
import type { FaultPlan } from './fault-plan.ts';
import type { MeasureFile } from './file-sizes.ts';
import type { VideoJob } from './media/work.ts';
import type { PromptCache } from './prompt-cache.ts';

export interface Latency {
  firstTokenMs: number;
  /** 0: as fast as it goes. */
  tokensPerSecond: number;
  /** At most so much is added to the time of the first token. */
  jitterMs: number;
  /** How often a comment comes while the stream waits for a token, before the first one and later; 0: none but the fixed ones. */
  commentEveryMs: number;
}

/** One request as it arrived, for assertions. Large bodies are left out. */
export interface RecordedRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: Record<string, string>;
  body: unknown;
  at: number;
}

export interface StoredGeneration {
  completion: Completion;
  key: ApiKey;
  chargedUsd: number;
  completionTokens: number;
  isStreamed: boolean;
  isCancelled: boolean;
  availableAt: number;
  headers: Record<string, string>;
  sessionId: string | null;
  /** What it was; a chat unless told. */
  apiType?: string;
}

/** A code that a person has granted, or that was made with a key: redeemed once, for ten minutes. */
export interface Grant {
  challenge: string | null;
  method: string;
  limit: string | null;
  limitReset: ApiKey['limitReset'];
  label: string | null;
  expiresAt: string | null;
  account: ApiKey['account'];
  until: number;
}

export const DEFAULT_SLOW_MS = 5_000;

/** Everything that one simulator remembers. */
export interface State {
  seed: string;
  measure: MeasureFile;
  clock: AdjustableClock;
  generationDelayMs: number;
  catalogue: Catalogue;
  keys: Map<string, ApiKey>;
  generations: Map<string, StoredGeneration>;
  videos: Map<string, VideoJob>;
  faults: FaultPlan;
  /** Codes of the consent page that nobody has redeemed yet. */
  grants: Map<string, Grant>;
  requests: RecordedRequest[];
  latency: Latency;
  /** By model id, over `latency`. */
  modelLatency: Map<string, Partial<Latency>>;
  /** How late the faults `slow_headers` and `slow_body` are. */
  slowMs: number;
  /** Tags of the providers that do not answer now. */
  downProviders: Set<string>;
  promptCache: PromptCache;
  contents: ContentStore;
  /** Whether the event with usage repeats the last choice, as on the wire, or has none, as in the documentation. */
  usageChunkChoices: 'repeat' | 'empty';
  /** Cuts a stream into writes of this many bytes, to test parsers; 0 leaves events whole. */
  splitBytes: number;
  sequence: number;
}
