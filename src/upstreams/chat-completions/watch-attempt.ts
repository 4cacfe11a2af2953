import type { Timers } from '../timers.ts';
import type { ChatCall, FailureKind } from './chat.ts';

/** Ends an attempt that runs out of time, falls silent or is no longer wanted. */
export interface Watch {
  signal: AbortSignal;
  /** A data event came: the idle limit starts anew. Comments do not count, so they do not call this. */
  progress(): void;
  /** Why it was ended; null while nobody has. */
  reason(): FailureKind | null;
  stop(): void;
}

const TIMER_SLACK_MS = 50;

export function watchAttempt(timers: Timers, call: ChatCall, idleTimeoutMs: number): Watch {
  const controller = new AbortController();
  let reason: FailureKind | null = null;
  let lastProgressMs = timers.now();
  const end = (why: FailureKind): void => {
    reason ??= why;
    controller.abort();
  };
  // The caller's own timer may ring a moment before ours.
  const onAbort = (): void => end(timers.now() + TIMER_SLACK_MS >= call.deadlineMs ? 'deadline' : 'aborted');
  // One timer that checks when the last event came is cheaper than one that is reset with every event, and one for both
  // limits than two: most attempts end before it rings once.
  let cancel = timers.after(Math.min(idleTimeoutMs, call.deadlineMs - lastProgressMs), check);

  function check(): void {
    const nowMs = timers.now();
    const idleInMs = lastProgressMs + idleTimeoutMs - nowMs;
    const deadlineInMs = call.deadlineMs - nowMs;
    if (Math.min(idleInMs, deadlineInMs) > 0) {
      cancel = timers.after(Math.min(idleInMs, deadlineInMs), check);
    } else {
      end(deadlineInMs <= 0 ? 'deadline' : 'idle');
    }
  }

  if (call.signal.aborted) {
    onAbort();
  }
  call.signal.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    progress: () => {
      lastProgressMs = timers.now();
    },
    reason: () => reason,
    stop: () => {
      cancel();
      call.signal.removeEventListener('abort', onAbort);
    },
  };
}
