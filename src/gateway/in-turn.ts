const open = new WeakMap<object, Map<string, Promise<unknown>>>();

/** Does one piece of work after the other for each key of `owner`, in the order in which they came. */
export async function inTurn<T>(owner: object, key: string, work: () => Promise<T>): Promise<T> {
  const turns = open.get(owner) ?? new Map<string, Promise<unknown>>();
  open.set(owner, turns);
  const done = (turns.get(key) ?? Promise.resolve()).then(work);
  const ended = done.catch(() => {});
  turns.set(key, ended);
  try {
    return await done;
  } finally {
    if (turns.get(key) === ended) {
      turns.delete(key);
    }
  }
}
