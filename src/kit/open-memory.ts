import type { Clock } from './clock.ts';

/** What was read a moment ago, by its key. */
export interface Memory<Value> {
  find(key: string): Value | undefined;
  /** To be called before something is read. @returns what keeps it, unless anything was forgotten meanwhile or a moment ago. */
  begin(): (key: string, value: Value) => void;
  /** Something changes, or has changed. Until a moment has passed nothing is kept, so that what this is told before counts as well. */
  forget(): void;
}

interface Bounds {
  clock: Clock;
  /** How long a process that did not hear of a change may go on with what was before. */
  keptMs: number;
  mostKept: number;
}

export function openMemory<Value>({ clock, keptMs, mostKept }: Bounds): Memory<Value> {
  const kept = new Map<string, { value: Value; atMs: number }>();
  let times = 0;
  let forgottenAtMs = Number.NEGATIVE_INFINITY;
  // A clock that was put back ends what is kept.
  const isWithin = (sinceMs: number, nowMs: number): boolean => nowMs >= sinceMs && nowMs - sinceMs <= keptMs;
  return {
    find: (key) => {
      const found = kept.get(key);
      return found && isWithin(found.atMs, clock.now()) ? found.value : undefined;
    },
    begin: () => {
      const [before, atMs] = [times, clock.now()];
      return (key, value) => {
        if (before !== times || isWithin(forgottenAtMs, atMs)) {
          return;
        }
        if (kept.size >= mostKept) {
          kept.clear();
        }
        kept.set(key, { value, atMs });
      };
    },
    forget: () => {
      kept.clear();
      times += 1;
      forgottenAtMs = clock.now();
    },
  };
}
