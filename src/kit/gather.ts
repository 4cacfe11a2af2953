/**
 * One round of work for all who ask while the round before is under way, each with the answer to their own item. Nobody
 * waits longer than for that round, and nothing that was asked before a round began is missing from it. What fails together
 * is tried once more each alone, so that nobody fails for another's item: the work must bear being done twice.
 */
export function gather<Item, Result>(
  work: (items: readonly Item[]) => Promise<readonly Result[]>,
  mostTogether: number,
): (item: Item) => Promise<Result> {
  const waiting: { item: Item; resolve(result: Result | Promise<Result>): void; reject(error: unknown): void }[] = [];
  let isWorking = false;
  const alone = async (item: Item): Promise<Result> => (await work([item]))[0] as Result;
  const workOff = async (): Promise<void> => {
    isWorking = true;
    while (waiting.length > 0) {
      const round = waiting.splice(0, mostTogether);
      try {
        const results = await work(round.map(({ item }) => item));
        round.forEach(({ resolve }, index) => resolve(results[index] as Result));
      } catch (error) {
        round.forEach(({ item, resolve, reject }) => (round.length > 1 ? resolve(alone(item)) : reject(error)));
      }
    }
    isWorking = false;
  };
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!isWorking) {
        void workOff();
      }
    });
}
