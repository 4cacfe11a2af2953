import type { Clock } from '#kit/index.ts';
import type { Database } from '#database/index.ts';
import type { Payments } from '#payments/index.ts';
import type { Published, ResourceKind } from '#resources/index.ts';
import type { Refusals } from './count-refusals.ts';

/** The little of a logger that the gateway needs. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface RateLimiter {
  /** Takes one unit; `retryAfterSeconds` is set when there is none left. */
  take(key: string): Promise<{ isAllowed: boolean; retryAfterSeconds: number }>;
}

export interface GatewayDeps {
  database: Database;
  published: Published;
  kinds: ReadonlyMap<string, ResourceKind>;
  payments: Payments;
  /** The origin that resource URLs begin with. */
  publicUrl: string;
  clock: Clock;
  log: Log;
  /** Counts free calls and owner tests. */
  limiter: RateLimiter;
  refusals: Refusals;
  processId: string;
  /** Calls that this process is carrying out now, so that a duplicate can wait for the first. */
  inFlight: Map<string, Promise<unknown>>;
  /** Owed calls that this process runs again without being asked. */
  reruns: Set<string>;
}
