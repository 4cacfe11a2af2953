import { setTimeout as wait } from 'node:timers/promises';

interface RetryOptions {
  attempts: number;
  firstDelayMs: number;
  isRetryable?: (error: unknown) => boolean;
  signal?: AbortSignal;
}

/** Runs `run` until it succeeds; waits firstDelayMs, then twice as long each time. Throws the last error. */
export async function retry<T>(run: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run(attempt);
    } catch (error) {
      if (attempt >= options.attempts || options.isRetryable?.(error) === false) {
        throw error;
      }
      await wait(options.firstDelayMs * 2 ** (attempt - 1), undefined, { signal: options.signal });
    }
  }
}
