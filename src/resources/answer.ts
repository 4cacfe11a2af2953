import type { Json, ProblemCode } from '#kit/index.ts';

export type JsonObject = { [name: string]: Json };

/** A stored file that an answer holds; the bytes themselves are behind its signed URL. */
export interface MediaReference {
  id: string;
  kind: 'image' | 'audio' | 'video' | 'file';
  contentType: string;
  sizeBytes: number;
  /** Of the bytes, hexadecimal. */
  sha256: string;
  /** Of pictures only. */
  width: number | null;
  height: number | null;
  url: string;
  expiresAt: string;
}

/** One piece of an answer that comes bit by bit. `usage` is told once, last. */
export type AnswerPart =
  | { type: 'delta'; text: string }
  | { type: 'media'; media: MediaReference }
  | { type: 'usage'; usage: JsonObject };

/** `json` is ours and may be given a receipt; `bytes` go out as they are. */
export type AnswerBody =
  | { type: 'json'; json: JsonObject }
  | { type: 'bytes'; bytes: Uint8Array }
  | { type: 'parts'; parts: AsyncGenerator<AnswerPart, PartsEnd> };

export type WholeBody = Exclude<AnswerBody, { type: 'parts' }>;

/** What a kind yields to a buyer. Of the headers only those of an allow-list go out; the status is of success. */
export interface Answer<Body extends AnswerBody = AnswerBody> {
  status: number;
  contentType: string;
  headers: Readonly<Record<string, string>>;
  body: Body;
  media: readonly MediaReference[];
}

/** What is known of a run besides its answer: a part common to all kinds, and the kind's own. */
export interface Evidence {
  /** How often the upstream was asked. */
  attempts: number;
  /** From the start of the run to the first piece of output. */
  firstOutputMs: number | null;
  /**
   * What the run cost the creator, as an exact decimal; `null` where nobody told. A failed run that is known to have cost
   * nothing says '0': without a figure it counts at its worst (docs/decisions/0023).
   */
  costUsd: string | null;
  /** Whose key that cost fell to: the creator's own or the operator's; absent where no key was used. */
  keySource?: 'own' | 'platform';
  isSimulated: boolean;
  /** Read by the kind's `evidenceSchema`; for the creator only. */
  own: JsonObject;
}

/** For a run that never reached its upstream. */
export const noEvidence: Evidence = {
  attempts: 0,
  firstOutputMs: null,
  costUsd: null,
  isSimulated: false,
  own: {},
};

export interface Failure {
  ok: false;
  /** Neutral and public. */
  problem: ProblemCode;
  retryAfterSeconds?: number;
  /** For the creator only: code and text. */
  cause: string;
  evidence: Evidence;
}

/** How an answer in parts ended; what was sent before stays sent. `json`: what the whole says beside text, files and usage. */
export type PartsEnd = { ok: true; evidence: Evidence; json?: JsonObject } | Failure;

/** Of an answer in parts the evidence is what is known when it begins. */
export type Outcome<Body extends AnswerBody = AnswerBody> =
  | { ok: true; answer: Answer<Body>; evidence: Evidence }
  | Failure;

/** An answer of JSON with nothing special about it. */
export function jsonAnswer(json: JsonObject, media: readonly MediaReference[] = []): Answer<WholeBody> {
  return { status: 200, contentType: 'application/json', headers: {}, body: { type: 'json', json }, media };
}
