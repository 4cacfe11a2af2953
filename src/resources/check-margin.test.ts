import { Big } from 'big.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { publishedVersion } from '../../tests/support/execution-deps.ts';
import {
  checkMargin,
  explainLoss,
  isSellable,
  judgeMargin,
  toLowestSafePrice,
  toSuggestedPrice,
} from './check-margin.ts';
import type { CostQuote, ResourceKind } from './resource-kind.ts';

const quoteOf = (worstUsd: string, more: Partial<CostQuote> = {}): CostQuote => ({
  typicalUsd: '0',
  worstUsd,
  basis: 'as told',
  ...more,
});

function offersAt(...amounts: bigint[]) {
  const [offer] = publishedVersion().offers;
  return amounts.map((amountAtomic) => ({ ...offer, amountAtomic }) as NonNullable<typeof offer>);
}

test('the lowest price that covers the worst case passes, and one atomic unit less does not', () => {
  const usd = fc
    .tuple(fc.bigInt({ min: 1n, max: 10n ** 14n }), fc.integer({ min: 4, max: 16 }))
    .map(([units, places]) => new Big(units.toString()).times(new Big(10).pow(-places)).toFixed());
  const fee = fc.constantFrom('0', '5.5', '0.333', '99');
  const loss = fc.integer({ min: 0, max: 2_000_000 }).map((units) => new Big(units).div(1_000_000).toFixed());
  fc.assert(
    fc.property(usd, fee, loss, (worstUsd, feePercent, maxLossUsd) => {
      const quote = quoteOf(worstUsd, { feePercent });
      const lowest = BigInt(new Big(toLowestSafePrice(quote, maxLossUsd)).times(1_000_000).toFixed(0));
      const whole = new Big(worstUsd).times(new Big(feePercent).div(100).plus(1)).minus(maxLossUsd);
      fc.pre(lowest > 1n);
      expect(explainLoss({ offers: offersAt(lowest), maxLossUsd }, quote)).toBeNull();
      expect(explainLoss({ offers: offersAt(lowest - 1n), maxLossUsd }, quote)).not.toBeNull();
      // Exactly the first atomic unit that covers the cost.
      expect(new Big(lowest.toString()).div(1_000_000).gte(whole)).toBe(true);
      expect(new Big((lowest - 1n).toString()).div(1_000_000).lt(whole)).toBe(true);
    }),
  );
});

test('the suggested price has a margin: a quarter above the worst case, and twice what is typical', () => {
  const units = fc.bigInt({ min: 1n, max: 10n ** 10n });
  fc.assert(
    fc.property(units, fc.integer({ min: 1, max: 100 }), fc.constantFrom('0', '5.5'), (worst, percent, feePercent) => {
      const worstUsd = new Big(worst.toString()).times('1e-8').toFixed();
      const typicalUsd = new Big(worstUsd).times(percent).div(100).toFixed();
      const price = toSuggestedPrice({ ...quoteOf(worstUsd), typicalUsd, feePercent });
      const fee = new Big(feePercent).div(100).plus(1);
      const [above, twice] = [new Big(worstUsd).times(fee).times('1.25'), new Big(typicalUsd).times(fee).times(2)];
      const least = above.gt(twice) ? above : twice;
      expect(new Big(price).gte(least)).toBe(true);
      // Two digits round up by less than a tenth, the last unit of USDC by less than one.
      expect(new Big(price).lte(least.times('1.1').plus('0.000001'))).toBe(true);
      expect(price).toMatch(/^\d+(\.\d{1,6})?$/);
    }),
  );
  expect(toSuggestedPrice({ ...quoteOf('0.0001455'), typicalUsd: '0.00003315', feePercent: '5.5' })).toBe('0.0002');
});

test('the refusal names the worst cost, the price, the lowest price that would do, and the loss to accept', () => {
  const sold = { offers: offersAt(10_000n), maxLossUsd: '0' };
  expect(explainLoss(sold, quoteOf('0.02', { feePercent: '5.5' }))).toBe(
    'A call can cost up to 0.0211 USD (0.02 USD and 5.5 % for buying the credit), and its price is 0.01 USDC. The lowest price that would do is 0.0211 USDC. Lower maxTokens or what parameters may be long, choose a cheaper model or provider, or accept the loss: "acceptsLoss": {"maxLossUsdPerCall": "0.0111"}.',
  );
  expect(explainLoss({ ...sold, maxLossUsd: '0.0111' }, quoteOf('0.02', { feePercent: '5.5' }))).toBeNull();
});

test('the lowest of several offers must cover the cost', () => {
  const sold = { offers: offersAt(50_000n, 10_000n), maxLossUsd: '0' };
  expect(explainLoss(sold, quoteOf('0.02'))).toContain('its price is 0.01 USDC');
  expect(explainLoss(sold, quoteOf('0.01'))).toBeNull();
});

const kind = {
  quoteCost: async () => null,
  explainUnpriced: async () => ({ why: 'A router.', mayBeAccepted: false }),
} as unknown as ResourceKind;

test.each<{ what: string; amounts: bigint[]; quote: CostQuote | null; messages: string[] }>([
  { what: 'what is free may cost anything', amounts: [], quote: quoteOf('5'), messages: [] },
  { what: 'what has no known cost may be free', amounts: [], quote: null, messages: [] },
  { what: 'what has no known cost has no price', amounts: [10_000n], quote: null, messages: ['A router.'] },
  { what: 'a price that covers the cost', amounts: [10_000n], quote: quoteOf('0.01'), messages: [] },
])('$what', async ({ amounts, quote, messages }) => {
  const found = await checkMargin({
    path: '/priceUsdc',
    kind,
    config: {},
    cases: [{ offers: offersAt(...amounts), quote, of: null }],
    maxLossUsd: '0',
  });
  expect(found).toEqual(messages.map((message) => ({ path: '/priceUsdc', message })));
});

test('a kind that quotes nothing is sold at any price', async () => {
  const cases = [{ offers: offersAt(1n), quote: null, of: null }];
  expect(
    await checkMargin({ kind: {} as ResourceKind, config: {}, cases, maxLossUsd: '0', path: '/priceUsdc' }),
  ).toEqual([]);
});

test('a version from before the guard is sold as it was; a later one is not while a call may lose more than was accepted', () => {
  const offers = offersAt(10_000n);
  expect(judgeMargin({ offers, maxLossUsd: null }, quoteOf('9'))).toEqual({ ready: true });
  expect(judgeMargin({ offers, maxLossUsd: '0.01' }, quoteOf('0.02'))).toEqual({ ready: true });
  expect(judgeMargin({ offers, maxLossUsd: '0' }, null)).toEqual({ ready: true });
  expect(judgeMargin({ offers, maxLossUsd: '0' }, quoteOf('0.02'))).toEqual({
    ready: false,
    cause: expect.stringMatching(/^margin: .*0\.02 USD.*0\.01 USDC.*sold again by itself/),
  });
});

test.each<{ what: string; amounts: bigint[]; maxLossUsd: string | null; why: string | null; ready: boolean }>([
  {
    what: 'what was published with a price is not sold',
    amounts: [1n],
    maxLossUsd: '0',
    why: 'No provider.',
    ready: false,
  },
  {
    what: 'neither where a loss of some amount was accepted',
    amounts: [1n],
    maxLossUsd: '1',
    why: 'Gone.',
    ready: false,
  },
  { what: 'what is free is', amounts: [], maxLossUsd: '0', why: 'No provider.', ready: true },
  { what: 'what was published before this was asked is', amounts: [1n], maxLossUsd: null, why: 'Gone.', ready: true },
  { what: 'what its kind can never price is', amounts: [1n], maxLossUsd: '0', why: null, ready: true },
])('once nobody knows what a call costs, $what', async ({ amounts, maxLossUsd, why, ready }) => {
  const asked = {
    isReady: async () => ({ ready: true as const }),
    explainUnpriced: async () => (why === null ? null : { why, mayBeAccepted: false }),
  };
  const version = publishedVersion({ offers: offersAt(...amounts), maxLossUsd });
  const found = await isSellable(asked, version, async () => [{ offers: version.offers, quote: null, of: null }]);
  expect([found.ready, found.ready ? null : found.cause.slice(0, `margin: ${why}`.length)]).toEqual(
    ready ? [true, null] : [false, `margin: ${why}`],
  );
});
