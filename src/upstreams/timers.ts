import type { Clock } from '#kit/index.ts';

/** A clock that can also call back, so that tests drive deadlines, idle limits and retry delays by hand. */
export interface Timers extends Clock {
  /** Runs `run` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

export const systemTimers: Timers = {
  now: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};
