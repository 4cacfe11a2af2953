import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gather } from './gather.ts';

test('everybody gets the answer to their own item, whoever asks when', async () => {
  const asked = fc.array(fc.record({ item: fc.nat(20), turns: fc.nat(3) }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), asked, fc.integer({ min: 1, max: 8 }), async (scheduler, all, most) => {
      const rounds: number[] = [];
      const ask = gather(async (items: readonly number[]) => {
        rounds.push(items.length);
        await scheduler.schedule(Promise.resolve());
        if (items.some((item) => item === 13)) {
          throw new Error('13');
        }
        return items.map((item) => `of ${item}`);
      }, most);
      const answers = all.map(async ({ item, turns }) => {
        for (let left = turns; left > 0; left -= 1) {
          await scheduler.schedule(Promise.resolve());
        }
        return ask(item).catch((error: Error) => `failed by ${error.message}`);
      });
      await scheduler.waitFor(Promise.all(answers));
      expect(await Promise.all(answers)).toEqual(all.map(({ item }) => (item === 13 ? 'failed by 13' : `of ${item}`)));
      expect(Math.max(0, ...rounds)).toBeLessThanOrEqual(most);
    }),
  );
});

test('what is asked while a round is under way goes into one round after it', async () => {
  const rounds: string[][] = [];
  const open: (() => void)[] = [];
  const ask = gather(async (items: readonly string[]) => {
    rounds.push([...items]);
    await new Promise<void>((resolve) => void open.push(resolve));
    return items;
  }, 10);
  const answers = ['a', 'b', 'c'].map((item) => ask(item));
  expect(rounds).toEqual([['a']]);
  open[0]?.();
  await answers[0];
  open[1]?.();
  expect(await Promise.all(answers)).toEqual(['a', 'b', 'c']);
  expect(rounds).toEqual([['a'], ['b', 'c']]);
});
