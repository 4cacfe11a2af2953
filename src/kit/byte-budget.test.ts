import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openByteBudget } from './byte-budget.ts';

test('a client may hold its share, all clients the whole, and what is given back is there again', () => {
  const budget = openByteBudget({ total: 100, perClient: 60 });
  const first = budget.take('a', 60);
  expect(first).not.toBeNull();
  expect(budget.take('a', 1)).toBeNull();
  expect(budget.take('b', 41)).toBeNull();
  expect(budget.take('b', 40)).not.toBeNull();
  first?.give();
  first?.give();
  expect(budget.take('a', 61)).toBeNull();
  expect(budget.take('a', 60)).not.toBeNull();
  expect(budget.take('c', 1)).toBeNull();
});

test('whatever is taken and given back, no more is ever held than there is', () => {
  const step = fc.record({
    client: fc.constantFrom('a', 'b', 'c'),
    bytes: fc.integer({ min: 0, max: 50 }),
    gives: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const budget = openByteBudget({ total: 100, perClient: 60 });
      const held: { client: string; bytes: number; give(): void }[] = [];
      for (const { client, bytes, gives } of steps) {
        if (gives) {
          held.pop()?.give();
        } else {
          const taken = budget.take(client, bytes);
          held.push(...(taken ? [{ client, bytes, give: taken.give }] : []));
        }
        const sum = (of: typeof held) => of.reduce((total, one) => total + one.bytes, 0);
        expect(sum(held)).toBeLessThanOrEqual(100);
        expect(sum(held.filter((one) => one.client === 'a'))).toBeLessThanOrEqual(60);
      }
    }),
  );
});
