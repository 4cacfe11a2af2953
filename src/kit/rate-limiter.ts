import { Problem } from './errors.ts';
import { toNetwork } from './to-network.ts';

export interface RateLimiter {
  /** Takes one unit; `retryAfterSeconds` tells when there is one again. */
  take(key: string): Promise<{ isAllowed: boolean; retryAfterSeconds: number }>;
}

/** Takes one unit of the allowance of the client's network, or throws `rate_limited` with the time to wait. No address: not limited. */
export async function takeUnit(limiter: RateLimiter | undefined, clientAddress: string | null): Promise<void> {
  if (!limiter || clientAddress === null) {
    return;
  }
  const { isAllowed, retryAfterSeconds } = await limiter.take(toNetwork(clientAddress));
  if (!isAllowed) {
    const seconds = Math.max(1, Math.ceil(retryAfterSeconds));
    throw new Problem('rate_limited', {
      detail: `Too many requests from this address. Try again in ${seconds} seconds.`,
      headers: { 'Retry-After': String(seconds) },
    });
  }
}
