import { Problem } from '#kit/index.ts';
import type { AppContext } from './request-context.ts';
import type { RateLimiter } from './server-options.ts';

/** Takes one unit of the client's allowance, or refuses with the time to wait. */
export async function takeUnit(c: AppContext, limiter: RateLimiter | undefined): Promise<void> {
  if (!limiter) {
    return;
  }
  const { isAllowed, retryAfterSeconds } = await limiter.take(c.get('clientAddress'));
  if (!isAllowed) {
    const seconds = Math.max(1, Math.ceil(retryAfterSeconds));
    throw new Problem('rate_limited', {
      detail: `Too many requests from this address. Try again in ${seconds} seconds.`,
      headers: { 'Retry-After': String(seconds) },
    });
  }
}
