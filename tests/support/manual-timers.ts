interface ManualTimers {
  now(): number;
  after(delayMs: number, run: () => void): () => void;
  /** Moves time and runs what falls due, in order. */
  advance(byMs: number): void;
  /** Delays of the timers that wait, in the order in which they will run. */
  waiting(): number[];
}

/** A clock that only the test moves. */
export function manualTimers(startMs = 1_700_000_000_000): ManualTimers {
  let nowMs = startMs;
  let pending: { dueMs: number; run: () => void }[] = [];
  const next = (untilMs: number) =>
    pending.filter((timer) => timer.dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs)[0];
  return {
    now: () => nowMs,
    after: (delayMs, run) => {
      const timer = { dueMs: nowMs + Math.max(0, delayMs), run };
      pending.push(timer);
      return () => {
        pending = pending.filter((other) => other !== timer);
      };
    },
    advance: (byMs) => {
      const untilMs = nowMs + byMs;
      for (let timer = next(untilMs); timer !== undefined; timer = next(untilMs)) {
        const due = timer;
        pending = pending.filter((other) => other !== due);
        nowMs = due.dueMs;
        due.run();
      }
      nowMs = untilMs;
    },
    waiting: () => pending.map((timer) => timer.dueMs - nowMs).sort((a, b) => a - b),
  };
}
