import type { Clock } from '#kit/index.ts';

const KEEP_MS = 5_000;
const MAX_ENTRIES = 2_000;

interface Entry {
  value: Promise<unknown>;
  until: number;
}

export interface SecretCache {
  /** One load at a time for a name; its result is shared for a few seconds. Failures are not kept. */
  get<T>(name: string, load: () => Promise<T>): Promise<T>;
  forget(name: string): void;
  clear(): void;
}

/** Opened secrets for the paid call. Short and small on purpose: they are plaintext. */
export function openSecretCache(clock: Clock): SecretCache {
  const entries = new Map<string, Entry>();
  const dropOld = (now: number): void => {
    for (const [name, entry] of entries) {
      if (entry.until > now && entries.size <= MAX_ENTRIES) {
        return;
      }
      entries.delete(name);
    }
  };
  return {
    get<T>(name: string, load: () => Promise<T>): Promise<T> {
      const now = clock.now();
      dropOld(now);
      const known = entries.get(name);
      if (known) {
        return known.value as Promise<T>;
      }
      const value = load();
      const entry = { value, until: now + KEEP_MS };
      entries.set(name, entry);
      // A load that began before forget() must not come back: only the entry stored here is ever read.
      value.catch(() => entries.get(name) === entry && entries.delete(name));
      return value;
    },
    forget: (name) => void entries.delete(name),
    clear: () => entries.clear(),
  };
}
