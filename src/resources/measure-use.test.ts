import { expect, test } from 'vitest';
import { publishedVersion } from '../../tests/support/execution-deps.ts';
import { checkMeasuredUse, measureUse, toUseMeasure } from './measure-use.ts';
import type { MeasuredUse } from './measured-use.ts';

const { offers } = publishedVersion();
const measure = (measuredUse: MeasuredUse, maxAtomic = 20_000n) => {
  const { useMeasure } = toUseMeasure(measuredUse, maxAtomic);
  return (
    useMeasure ??
    (() => {
      throw new Error('unreachable');
    })()
  );
};
const use = { costUsd: '0.01', inputTokens: 1_000, outputTokens: 500 };

test.each<[string, MeasuredUse, typeof use | { costUsd: null; inputTokens: null; outputTokens: null }, string | null]>([
  ['a margin on the cost', { marginPercent: '20' }, use, '0.012'],
  ['tokens', { inputUsdcPerMillion: '0.75', outputUsdcPerMillion: '3' }, use, '0.00225'],
  ['what is rounded up', { marginPercent: '0.0001' }, use, '0.010001'],
  ['nothing', { marginPercent: '20' }, { ...use, costUsd: '0' }, '0'],
  ['never above the price', { baseUsdc: '5' }, use, '0.02'],
  [
    'what needs a cost that nobody told',
    { marginPercent: '20' },
    { costUsd: null, inputTokens: null, outputTokens: null },
    null,
  ],
  ['what needs none', { baseUsdc: '0.001' }, { costUsd: null, inputTokens: null, outputTokens: null }, '0.001'],
])('%s', (...[, measuredUse, used, expected]) => {
  expect(measureUse(measure(measuredUse), used)).toBe(expected);
});

test('charging by use is refused until a scheme does, and a rule that measures nothing is none', () => {
  const way = { scheme: 'exact', network: offers[0]?.network ?? '' };
  const check = (measuredUse: MeasuredUse | null, payable = [way]) =>
    checkMeasuredUse({ payable }, { measuredUse }, offers);
  expect(check({ marginPercent: '20' })).toEqual([]);
  expect(check(null)).toEqual([]);
  expect(check({ marginPercent: '20', isCharged: true })).toMatchObject([
    { path: '/measuredUse/isCharged', message: expect.stringContaining('needs the upto scheme') },
  ]);
  expect(check({ marginPercent: '20', isCharged: true }, [{ ...way, chargesUse: true } as typeof way])).toEqual([]);
  expect(check({ isCharged: false })).toMatchObject([{ path: '/measuredUse' }]);
  expect(checkMeasuredUse({ payable: [way] }, { measuredUse: { baseUsdc: '1' } }, [])).toMatchObject([
    { path: '/measuredUse' },
  ]);
});
