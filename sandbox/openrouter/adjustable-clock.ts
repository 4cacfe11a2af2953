import type { Clock } from '#kit/index.ts';

/** A clock that tests can set forward, or back again. */
export interface AdjustableClock extends Clock {
  advance(milliseconds: number): void;
  reset(): void;
}

export function openAdjustableClock(base: Clock): AdjustableClock {
  let offset = 0;
  return {
    ...base,
    now: () => base.now() + offset,
    advance: (milliseconds) => {
      offset += milliseconds;
    },
    reset: () => {
      offset = 0;
    },
  };
}
