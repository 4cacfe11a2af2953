import type { Caller, Json, Problem, ProblemCode } from '#kit/index.ts';
import type { Challenge, Payment } from '#payments/index.ts';
import type { Answer, AnswerPart, JsonObject, MediaReference, PublishedVersion, WholeBody } from '#resources/index.ts';

/** What a surface has read from the wire, once, before the paid call begins. */
export interface CallRequest {
  requestId: string;
  method: string;
  /** `version`: one that was published under this number, whatever stands there now. `isBatch`: for many inputs. */
  target: ({ creator: string; slug: string } | { resourceId: string }) & { version?: number; isBatch?: true };
  /** Path and query, one spelling for each resource; part of what a payment is bound to. */
  url: string;
  /** SHA-256 of the body as sent. */
  bodyDigest: string;
  input: { ok: true; value: unknown; isText: boolean } | { ok: false; problem: Problem };
  payment: { paymentSignature?: string; xPayment?: string };
  isOwnerTest: boolean;
  /** Optional header of the buyer; part of what a payment is bound to. */
  idempotencyKey: string;
  /** X-Farebox-Answer-Token: of the first answer to this payment. */
  answerToken?: string | undefined;
  /** SIGN-IN-WITH-X. */
  signIn?: string | undefined;
  /** Whether and how the answer may come later than the response. */
  later?: Later;
  /** Reads the session or API key; asked only when it matters. */
  authenticate(): Promise<Caller>;
  /** The client's address, for rate limits. */
  clientAddress: string;
  /** The answer is wanted as a stream of events; absent: in one piece. */
  events?: EventsAsked | undefined;
  /** Aborts when the client has gone. */
  gone?: AbortSignal | undefined;
}

/** `after`: where the client stands in a stream that it has begun to read. */
export interface EventsAsked {
  after: StreamPlace | null;
}

/** Of which run, and how much of it: a character of text counts one, and so does each other part. */
export interface StreamPlace {
  run: number;
  position: number;
}

export interface Later {
  /** `Prefer: respond-async`. */
  isAsked: boolean;
  /** `Prefer: wait`: how long the answer is waited for before the 202. */
  waitMs: number;
  /** X-Farebox-Callback. */
  callbackUrl?: string | undefined;
}

export interface Receipt {
  transaction: string | null;
  paidUsdc: string;
  network: string | null;
  payer: string | null;
  resource: string;
  version: number;
  callId: string;
  at: string;
  /** The files of the answer; absent where it has none. */
  media?: readonly ReceiptMedia[];
}

export type ReceiptMedia = Pick<MediaReference, 'id' | 'sha256' | 'sizeBytes' | 'contentType'>;

/** Of a call that claimed a payment and has no answer. `null`: not known yet. */
export interface FailedReceipt extends Omit<Receipt, 'paidUsdc' | 'media'> {
  charged: boolean | null;
  paidUsdc: string | null;
  next: string;
}

/** What is told to whoever sends the payment of somebody's answer: no more than the chain shows, and how to prove. */
export interface ProofAsked {
  transaction: string | null;
  prove: readonly string[];
  /** Declarations of x402 extensions. */
  extensions: { [name: string]: Json };
}

/**
 * A part of an answer that goes out while it is made. `begin` comes before the first part of a run: what came of an earlier
 * one is void. `done` or `error` comes last, once the answer is stored or lost; `json`: what it says beside the
 * parts; `media`: all its files.
 */
export type LivePart =
  | AnswerPart
  | { type: 'begin' }
  | { type: 'done'; json: JsonObject; media: readonly MediaReference[] }
  | { type: 'error'; problem: Problem };

/** A part, and the place in the stream behind it. */
export type PlacedPart = StreamPlace & { part: LivePart };

/** Without `done` or `error` at its end the reader was too slow, or has missed something: he takes it up again. */
export type LiveBody = { type: 'live'; parts: AsyncIterable<PlacedPart> };

/** What a buyer gets. Its receipt is part of the JSON, or stands beside bytes and parts. */
export interface GivenAnswer extends Omit<Answer<never>, 'body'> {
  body: WholeBody | LiveBody;
  isSimulated: boolean;
  isTest: boolean;
  receipt: Receipt;
}

export interface Settlement {
  x402Version: Payment['x402Version'];
  success: boolean;
  transaction: string;
  network: string;
  payer: string;
  amount?: string;
  reason?: string;
}

/** What a surface formats. `charged` says whether the buyer's money moved; absent where no payment took part. */
export type CallOutcome =
  | {
      kind: 'challenge';
      version: PublishedVersion;
      challenge: Challenge;
      reason?: string;
      /** What else is to be said of the payment that was refused. */
      detail?: string;
      settlement?: Settlement;
    }
  | ({ kind: 'answer'; answer: GivenAnswer; callId: string; isPaid: boolean } & ToBuyer)
  | ({ kind: 'accepted'; status: CallStatus; secrets?: LongSecrets } & ToBuyer)
  | ({ kind: 'problem'; problem: Problem; charged?: boolean; receipt?: FailedReceipt; proof?: ProofAsked } & ToBuyer);

export type LongState = 'running' | 'settling' | 'owed' | 'succeeded' | 'failed' | 'cancelled' | 'expired';

/** Of a call that is carried out behind its 202; for its buyer alone. */
export interface CallStatus {
  callId: string;
  /** `owed`: paid, and run again because a run failed. `expired`: its answer was forgotten. */
  state: LongState;
  progress: { percent: number | null; note: string | null; at: string } | null;
  resource: string;
  createdAt: string;
  updatedAt: string;
  /** Until then the answer is kept at least. */
  expiresAt: string;
  /** Did money move? Null is not known yet. */
  charged: boolean | null;
  receipt: Receipt | FailedReceipt | null;
  /** Why there is no answer. */
  problem: { code: ProblemCode; title: string; detail: string; next: string } | null;
  statusUrl: string;
  resultUrl: string;
  cancelUrl: string;
  /** While there is no answer yet: when to ask again. */
  retryAfterSeconds: number | null;
}

/** Told once, and stored nowhere as they are. */
export interface LongSecrets {
  statusToken: string;
  /** With which callbacks are signed; where the buyer has asked for one. */
  callbackSecret?: string;
}

interface ToBuyer {
  settlement?: Settlement;
  /** A secret that proves later who the buyer is. */
  answerToken?: string;
}
