import { gather, type Clock } from '#kit/index.ts';

/** How long a key that ended may still be taken for good by a process that did not hear of it. */
const KEPT_MS = 1_000;
const MOST_KEPT = 10_000;
const MOST_TOGETHER = 100;

export interface KeyMemory<Row> {
  /** By the hash of the secret, as it stood a moment ago. */
  find(secretHash: string): Promise<Row | undefined>;
  /** A key ends, or has ended. Until a moment has passed nothing is kept, so that what this is told before counts as well. */
  forget(): void;
}

interface Source<Row> {
  clock: Clock;
  /** One row or none for each hash, in their order. */
  read(secretHashes: readonly string[]): Promise<readonly (Row | undefined)[]>;
}

/**
 * Rows of keys, those that are presented at the same time read together. What is not there is never kept: a key is good as
 * soon as it is made.
 */
export function rememberKeys<Row>({ clock, read }: Source<Row>): KeyMemory<Row> {
  const kept = new Map<string, { row: Row; atMs: number }>();
  const readTogether = gather(read, MOST_TOGETHER);
  let times = 0;
  let forgottenAtMs = Number.NEGATIVE_INFINITY;
  const readNow = async (secretHash: string): Promise<Row | undefined> => {
    const [before, atMs] = [times, clock.now()];
    const row = await readTogether(secretHash);
    if (row !== undefined && before === times && !isWithin(forgottenAtMs, atMs)) {
      makeRoom(kept);
      kept.set(secretHash, { row, atMs });
    }
    return row;
  };
  return {
    find: async (secretHash) => {
      const found = kept.get(secretHash);
      return found && isWithin(found.atMs, clock.now()) ? found.row : readNow(secretHash);
    },
    forget: () => {
      kept.clear();
      times += 1;
      forgottenAtMs = clock.now();
    },
  };
}

/** A clock that was put back ends what is kept. */
function isWithin(sinceMs: number, nowMs: number): boolean {
  return nowMs >= sinceMs && nowMs - sinceMs <= KEPT_MS;
}

function makeRoom(kept: Map<string, unknown>): void {
  if (kept.size >= MOST_KEPT) {
    kept.clear();
  }
}
