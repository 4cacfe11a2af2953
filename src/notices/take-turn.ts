import { Problem, sha256Hex, type RateLimiter } from '#kit/index.ts';

/** Counts what is sent to others at the wish of an account. Throws `rate_limited` with the time to wait. */
export async function takeTurn(limiter: RateLimiter, key: string): Promise<void> {
  const { isAllowed, retryAfterSeconds } = await limiter.take(sha256Hex(key));
  if (!isAllowed) {
    const seconds = Math.max(1, Math.ceil(retryAfterSeconds));
    throw new Problem('rate_limited', {
      detail: `Nothing more is sent for now. Try again in ${seconds} seconds.`,
      headers: { 'Retry-After': String(seconds) },
    });
  }
}
