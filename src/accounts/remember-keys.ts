import { gather, openMemory, type Clock } from '#kit/index.ts';

/** How long a key that ended may still be taken for good by a process that did not hear of it. */
const KEPT_MS = 1_000;
const MOST_KEPT = 10_000;
const MOST_TOGETHER = 100;

export interface KeyMemory<Row> {
  /** By the hash of the secret, as it stood a moment ago. */
  find(secretHash: string): Promise<Row | undefined>;
  /** A key ends, or has ended. */
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
  const memory = openMemory<NonNullable<Row>>({ clock, keptMs: KEPT_MS, mostKept: MOST_KEPT });
  const readTogether = gather(read, MOST_TOGETHER);
  const readNow = async (secretHash: string): Promise<Row | undefined> => {
    const keep = memory.begin();
    const row = (await readTogether(secretHash)) ?? undefined;
    if (row !== undefined) {
      keep(secretHash, row);
    }
    return row;
  };
  return {
    find: async (secretHash) => memory.find(secretHash) ?? readNow(secretHash),
    forget: () => memory.forget(),
  };
}
