import type { Round, Side } from './compare.ts';

const ROUND_MS = 700;
const BATCH = 20;

/** A side of a comparison that does one thing after the other, given a running number; `false` stops the bench. */
export function toSide(name: string, act: (index: number) => boolean | Promise<boolean>): Side {
  let next = 0;
  const round = async (): Promise<Round> => {
    const startedAt = performance.now();
    let count = 0;
    while (performance.now() - startedAt < ROUND_MS) {
      for (let left = BATCH; left > 0; left -= 1) {
        const result = act(next++);
        if (!(typeof result === 'boolean' ? result : await result)) {
          throw new Error(`${name} came to a wrong result.`);
        }
        count += 1;
      }
    }
    return { perSecond: (count * 1000) / (performance.now() - startedAt) };
  };
  return { name, warmUp: round, round };
}
