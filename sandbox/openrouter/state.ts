import type { Clock } from '#kit/index.ts';
import type { Catalogue } from './catalogue.ts';
import type { Completion } from './completion.ts';
import type { ApiKey } from './demo-keys.ts';
import type { FaultPlan } from './fault-plan.ts';
import type { VideoJob } from './media/work.ts';

export interface Latency {
  firstTokenMs: number;
  /** 0: as fast as it goes. */
  tokensPerSecond: number;
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
  /** What it was; a chat unless told. */
  apiType?: string;
}

/** Everything that one simulator remembers. */
export interface State {
  seed: string;
  clock: Clock;
  generationDelayMs: number;
  catalogue: Catalogue;
  keys: Map<string, ApiKey>;
  generations: Map<string, StoredGeneration>;
  videos: Map<string, VideoJob>;
  faults: FaultPlan;
  requests: RecordedRequest[];
  latency: Latency;
  /** Cuts a stream into writes of this many bytes, to test parsers; 0 leaves events whole. */
  splitBytes: number;
  sequence: number;
}
