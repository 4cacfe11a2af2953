/** The last work of each key that is under way. */
const queues = new WeakMap<object, Map<string, Promise<unknown>>>();

/**
 * One work after the other of all that have the same key, in this process: what would wait for a lock in the database
 * waits here, and holds no connection meanwhile. `owner`: keys of different owners are different.
 */
export async function inTurn<T>(owner: object, key: string, work: () => Promise<T>): Promise<T> {
  const queue = queues.get(owner) ?? new Map<string, Promise<unknown>>();
  queues.set(owner, queue);
  const turn = (queue.get(key) ?? Promise.resolve()).then(work, work);
  queue.set(key, turn);
  try {
    return await turn;
  } finally {
    if (queue.get(key) === turn) {
      queue.delete(key);
    }
  }
}
