import { expect, test } from 'vitest';
import { forgetQuotes, type CostQuote, type ResourceKind } from '#resources/index.ts';
import { publishedVersion } from '../../tests/support/execution-deps.ts';
import { makeOffer } from '../../tests/support/pay.ts';
import { quietLog } from '../../tests/support/test-chain.ts';
import { quoteWorst } from './quote-worst.ts';

const offer = makeOffer({ amountAtomic: 20_000n });

function depsWith(quoteCost?: () => Promise<CostQuote | null>) {
  const kind = (quoteCost ? { quoteCost } : {}) as unknown as ResourceKind;
  let nowMs = 0;
  const clock = { now: () => nowMs };
  return {
    deps: { kinds: new Map([['openrouter_instant', kind]]), clock, log: quietLog },
    later: () => (nowMs += 31_000),
  };
}

test.each<[string, (() => Promise<CostQuote | null>) | undefined]>([
  ['tells no cost', undefined],
  ['does not know it', async () => null],
  ['cannot be asked', () => Promise.reject(new Error('down'))],
  ['tells nonsense', async () => ({ typicalUsd: '0', worstUsd: 'NaN', basis: '' })],
])('a call of a kind that %s counts with its price', async (_, quoteCost) => {
  expect(await quoteWorst(depsWith(quoteCost).deps, publishedVersion(), offer)).toBe('0.02');
});

test('however small the parts of a worst cost are, it counts with all of them', async () => {
  const worstUsd = `0.05${'0'.repeat(30)}1`;
  const { deps } = depsWith(async () => ({ typicalUsd: '0', worstUsd, basis: '' }));
  expect(await quoteWorst(deps, publishedVersion(), offer)).toBe(worstUsd);
});

test('the worst cost of a kind counts, and is asked again after a while and after a change', async () => {
  let asked = 0;
  const { deps, later } = depsWith(async () => {
    asked += 1;
    return { typicalUsd: '0.001', worstUsd: `0.0${asked}`, basis: '' };
  });
  const version = publishedVersion();
  expect([await quoteWorst(deps, version, offer), await quoteWorst(deps, version, offer)]).toEqual(['0.01', '0.01']);
  later();
  expect(await quoteWorst(deps, version, offer)).toBe('0.02');
  forgetQuotes(deps.kinds.values());
  expect(await quoteWorst(deps, version, offer)).toBe('0.03');
});
