import type { Adjustment } from './adjustments.ts';

const MAX_REMEMBERED = 1_000;

/** What each model of each upstream has taught so far, so that only its first call pays for the detour. */
export interface AdjustmentMemory {
  get(key: string): ReadonlySet<Adjustment>;
  /** An empty set forgets. */
  set(key: string, adjustments: ReadonlySet<Adjustment>): void;
}

const none: ReadonlySet<Adjustment> = new Set();

/** In this process alone: another one learns it with its own first call. The oldest is forgotten beyond a bound. */
export function rememberAdjustments(): AdjustmentMemory {
  const known = new Map<string, ReadonlySet<Adjustment>>();
  return {
    get: (key) => known.get(key) ?? none,
    set: (key, adjustments) => {
      known.delete(key);
      if (adjustments.size === 0) {
        return;
      }
      known.set(key, adjustments);
      const oldest = known.keys().next().value;
      if (known.size > MAX_REMEMBERED && oldest !== undefined) {
        known.delete(oldest);
      }
    },
  };
}
