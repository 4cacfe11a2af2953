import type { z } from 'zod';
import type { FieldProblem, Json, ProblemCode } from '#kit/index.ts';
import type { Parameter } from './parameter.ts';

export type JsonSchema = { [key: string]: Json };

/** What a kind of resource does; a record of functions, implemented in execution/kinds and listed in plugins.ts. */
export interface ResourceKind<Config = unknown> {
  name: string;
  /** Its name for people, and in one sentence what a creator gets. */
  title: string;
  summary: string;
  /** What the creator edits. Its output is stored in the version. */
  configSchema: z.ZodType<Config>;
  /** Template tags, model exists and fits … Paths are JSON Pointers into the draft: `/config/…` or `/parameters/…`. */
  checkPublishable(config: Config, parameters: Parameter[], ownerId: string): Promise<FieldProblem[]>;
  /** Allow-list for the public view; never the template. */
  toPublic(config: Config): Record<string, unknown>;
  /** Asked before any money moves. */
  isReady(version: PublishedVersion): Promise<Readiness>;
  run(version: PublishedVersion, input: Record<string, unknown>, context: RunContext): Promise<Outcome>;
  /** Buyers may add a free text as `user_message`. Absent: never. */
  allowsUserMessage?(config: Config): boolean;
  /** The service whose key of the owner a resource needs: it pauses when that key goes. Null or absent: none. */
  integrationOf?(config: Config): string | null;
}

/** `cause` is for the creator only. */
export type Readiness = { ready: true } | { ready: false; cause: string; retryAfterSeconds?: number };

export interface RunContext {
  callId: string;
  payer: string | null;
  signal: AbortSignal;
  /** Milliseconds since the epoch. */
  deadlineMs: number;
  isTest: boolean;
}

export type Outcome =
  | { ok: true; answer: { response: Json; images?: AnswerImage[] }; evidence: Evidence }
  | {
      ok: false;
      /** Neutral and public. */
      problem: ProblemCode;
      retryAfterSeconds?: number;
      /** For the creator only: code and text. */
      cause: string;
      evidence: Evidence;
    };

export interface AnswerImage {
  id: string;
  contentType: string;
  width: number | null;
  height: number | null;
  url: string;
  expiresAt: string;
}

export interface Evidence {
  model: string | null;
  provider: string | null;
  generationId: string | null;
  inputTokens: number | null;
  outputTokens: number | null;
  costUsd: string | null;
  finishReason: string | null;
  firstTokenMs: number | null;
  attempts: number;
  isSimulated: boolean;
}

/** An earlier version of the same resource whose price may still be paid until `until`. */
export interface SupersededOffer {
  versionId: string;
  priceAtomic: bigint;
  network: string;
  payTo: string;
  timeoutSeconds: number;
  until: Date;
}

/** What buyers call: an immutable snapshot, held in memory. */
export interface PublishedVersion {
  resourceId: string;
  versionId: string;
  version: number;
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
  priceAtomic: bigint;
  /** CAIP-2. */
  network: string;
  payTo: string;
  timeoutSeconds: number;
  parameters: Parameter[];
  inputSchema: JsonSchema;
  config: unknown;
  publishedAt: Date;
  superseded: SupersededOffer[];
}
