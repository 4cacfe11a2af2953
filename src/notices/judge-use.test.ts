import fc from 'fast-check';
import { expect, test } from 'vitest';
import { judgeCredits, judgeUse, type CreditFacts } from './judge-use.ts';

const cents = fc.integer({ min: -500, max: 100_000 }).map((amount) => (amount / 100).toFixed(2));

test('a threshold counts as reached from its very value on', () => {
  const left = ['10', '5.01', '5', '2.5', '1.01', '1', '0.000001', '0', '-1'];
  expect(left.map((one) => judgeUse({ left: one, whole: '10' }).percent)).toEqual([0, 0, 50, 75, 75, 90, 90, 100, 100]);
  expect(judgeUse({ left: '0', whole: '0' }).percent).toBe(100);
});

test('credits that only fall never fall a level, and what was filled up is a new whole', () => {
  fc.assert(
    fc.property(fc.array(cents, { minLength: 1 }), (balances) => {
      let facts: CreditFacts | null = null;
      let level = 0;
      for (const balance of balances) {
        const isTopUp = facts !== null && Number(balance) > Number(facts.last);
        const judged = judgeCredits(facts, { balance, keyHash: 'one' });
        expect(judged.use.level).toBeGreaterThanOrEqual(isTopUp ? 0 : level);
        expect(isTopUp && Number(balance) > 0 ? judged.use.level : 0).toBe(0);
        [facts, level] = [judged.facts, judged.use.level];
      }
    }),
  );
  const before = { whole: '100', last: '90', keyHash: 'one' };
  expect(judgeCredits(before, { balance: '20', keyHash: 'other' }).use.level).toBe(0);
});
