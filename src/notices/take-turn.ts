import { sha256Hex, takeTurn as take, type RateLimiter } from '#kit/index.ts';

/** Counts what is sent to others at the wish of an account. Throws `rate_limited` with the time to wait. */
export function takeTurn(limiter: RateLimiter, key: string): Promise<void> {
  return take(limiter, sha256Hex(key), 'Nothing more is sent for now.');
}
