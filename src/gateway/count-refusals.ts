import type { Clock } from '#kit/index.ts';

/** Refused payments take a row each, and anybody can sign with an empty wallet: so many per address and minute. */
const LIMIT = 60;
const WINDOW_MS = 60_000;
const MAX_ADDRESSES = 10_000;

export interface Refusals {
  count(clientAddress: string): void;
  /** Seconds until the address may try again; 0 while it may. */
  waitSeconds(clientAddress: string): number;
}

/** Counted in this process: it guards this process's writes. */
export function countRefusals(clock: Clock): Refusals {
  const windows = new Map<string, { since: number; refused: number }>();
  const find = (address: string) => {
    const found = windows.get(address);
    return found && clock.now() - found.since < WINDOW_MS ? found : undefined;
  };
  return {
    count: (address) => {
      const found = find(address);
      if (found) {
        found.refused += 1;
        return;
      }
      windows.delete(address);
      windows.set(address, { since: clock.now(), refused: 1 });
      const [oldest] = windows.keys();
      if (windows.size > MAX_ADDRESSES && oldest !== undefined) {
        windows.delete(oldest);
      }
    },
    waitSeconds: (address) => {
      const found = find(address);
      return found && found.refused >= LIMIT ? Math.ceil((found.since + WINDOW_MS - clock.now()) / 1000) : 0;
    },
  };
}
