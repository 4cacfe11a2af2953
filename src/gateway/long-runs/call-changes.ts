/** What the triggers on calls that are carried out behind their 202 notify on. */
export const CALLS_CHANGED = 'calls_changed';

/** Somebody who waits for one call. */
export interface Watch {
  /** Resolves when something of the call has changed since the last time, or when the time is over. */
  next(withinMs: number): Promise<void>;
  /** Whoever still waits is let go. */
  end(): void;
}

/** What this process hears of calls that are carried out behind their 202, in whichever process. */
export interface CallChanges {
  /** Nothing named: anything may have changed. */
  tell(callId?: string): void;
  /** Null: enough are waiting for this call already, or this process is stopping. */
  watch(callId: string): Watch | null;
  onChanged(listener: (callId: string | undefined) => void): void;
  /** Everybody is let go, and nobody waits any more. */
  close(): void;
  readonly isClosed: boolean;
}

/** Whoever has the token may wait as often as it likes, and each wait is a connection. */
const WATCHES_PER_CALL = 8;

interface Waiting {
  hasChanged: boolean;
  wake(): void;
}

export function openCallChanges(): CallChanges {
  const watches = new Map<string, Set<Waiting>>();
  const listeners: ((callId: string | undefined) => void)[] = [];
  let isClosed = false;
  const wake = (waiting: Waiting): void => {
    waiting.hasChanged = true;
    waiting.wake();
  };
  const tell = (callId?: string): void => {
    const woken = callId === undefined ? [...watches.values()].flatMap((set) => [...set]) : (watches.get(callId) ?? []);
    [...woken].forEach(wake);
    listeners.forEach((listener) => listener(callId));
  };
  return {
    tell,
    onChanged: (listener) => void listeners.push(listener),
    watch: (callId) => {
      const here = watches.get(callId) ?? new Set();
      if (isClosed || here.size >= WATCHES_PER_CALL) {
        return null;
      }
      const waiting: Waiting = { hasChanged: false, wake: () => {} };
      watches.set(callId, here.add(waiting));
      return {
        next: (withinMs) => untilWoken(waiting, withinMs),
        end: () => {
          wake(waiting);
          here.delete(waiting);
          if (here.size === 0 && watches.get(callId) === here) {
            watches.delete(callId);
          }
        },
      };
    },
    close: () => {
      isClosed = true;
      [...watches.values()].forEach((set) => set.forEach(wake));
    },
    get isClosed() {
      return isClosed;
    },
  };
}

/** What changed before it was waited for counts too. */
async function untilWoken(waiting: Waiting, withinMs: number): Promise<void> {
  if (!waiting.hasChanged) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, withinMs);
    waiting.wake = resolve;
    await promise;
    clearTimeout(timer);
  }
  waiting.hasChanged = false;
}
