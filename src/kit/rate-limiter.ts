import { Problem } from './errors.ts';
import { toNetwork } from './to-network.ts';

export interface RateLimiter {
  /** Takes one unit; `retryAfterSeconds` tells when there is one again. */
  take(key: string): Promise<{ isAllowed: boolean; retryAfterSeconds: number }>;
}

/** Takes one unit of the allowance of the client's network, or throws `rate_limited` with the time to wait. No address: not limited. */
export async function takeUnit(limiter: RateLimiter | undefined, clientAddress: string | null): Promise<void> {
  if (limiter && clientAddress !== null) {
    await takeTurn(limiter, toNetwork(clientAddress), 'Too many requests from this address.');
  }
}

/** The same under a key of one's own. `why` begins what is told. */
export async function takeTurn(limiter: RateLimiter, key: string, why: string): Promise<void> {
  const { isAllowed, retryAfterSeconds } = await limiter.take(key);
  if (!isAllowed) {
    const seconds = Math.max(1, Math.ceil(retryAfterSeconds));
    throw new Problem('rate_limited', {
      detail: `${why} Try again in ${seconds} seconds.`,
      headers: { 'Retry-After': String(seconds) },
    });
  }
}
