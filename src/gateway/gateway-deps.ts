import type { Clock, Log, RateLimiter } from '#kit/index.ts';
import type { Database } from '#database/index.ts';
import type { InputMedia } from '#execution/index.ts';
import type { Payments } from '#payments/index.ts';
import type { PauseRequest, Published, ResourceKind } from '#resources/index.ts';
import type { CallChanges } from './long-runs/call-changes.ts';
import type { StreamKeeper } from './keep-streams.ts';
import type { CallRecord, SpendHold } from '#usage/index.ts';
import type { ReadinessMemory } from './remember-readiness.ts';
import type { OwnerNews } from './tell-owner.ts';

export interface GatewayDeps {
  database: Database;
  published: Published;
  kinds: ReadonlyMap<string, ResourceKind>;
  payments: Payments;
  /** The origin that resource URLs begin with. */
  publicUrl: string;
  clock: Clock;
  log: Log;
  /** Counts free calls. */
  limiter: RateLimiter;
  /** Counts an owner's calls without payment. */
  ownerLimiter: RateLimiter;
  /** Takes off sale what cannot run. */
  pause(request: PauseRequest): Promise<void>;
  readiness: ReadinessMemory;
  spend: SpendHold;
  /** Tells creators what stops a sale and pauses nothing. */
  news: OwnerNews;
  /** The files among inputs. */
  inputs: InputMedia;
  /** Writes calls that nobody paid for into the log, those that end together in one commit. */
  recordUnpaid(record: CallRecord): Promise<unknown>;
  /** Counts looks at the chain for payments that no key of their payer signed, in this process. */
  lookUps: RateLimiter;
  /** Keeps what has come of answers that go out while they are made. */
  streams: StreamKeeper;
  processId: string;
  /** Calls that this process is carrying out now, so that a duplicate can wait for the first. */
  inFlight: Map<string, Promise<unknown>>;
  /** Owed calls that this process runs again without being asked. */
  reruns: Set<string>;
  /** Runs behind a 202 that this process carries out, to be cut off. */
  longRuns: Map<string, AbortController>;
  callChanges: CallChanges;
  /** How buyers are called back. */
  callbacks: {
    /** Secrets are made of it. */
    key: Buffer;
    /** Throws `invalid_input` for a URL that is never called. */
    check(url: string): void;
    /** One POST. The status; null: nobody answered. */
    post(url: string, sent: { headers: Record<string, string>; body: string }): Promise<number | null>;
  };
}
