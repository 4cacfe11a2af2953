import type { Timers } from './timers.ts';

/** True after the delay, false as soon as the signal says that nobody waits any more. */
export function wait(timers: Timers, delayMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isOver: boolean): void => {
      cancel();
      signal.removeEventListener('abort', onAbort);
      resolve(isOver);
    };
    const onAbort = (): void => end(false);
    const cancel = timers.after(delayMs, () => end(true));
    if (signal.aborted) {
      onAbort();
    } else {
      signal.addEventListener('abort', onAbort, { once: true });
    }
  });
}
