import fc from 'fast-check';
import { expect, test } from 'vitest';
import { priceUsage, type PricedUsage, type Tier } from './price-usage.ts';
import type { Pricing } from './pricing.ts';

const SCALE = 15;
const decimal = fc.bigInt({ min: 0n, max: 10n ** 14n }).map((units) => {
  const digits = units.toString().padStart(SCALE + 1, '0');
  return { units, text: `${digits.slice(0, -SCALE)}.${digits.slice(-SCALE)}` };
});
const count = fc.integer({ min: 0, max: 2_000_000 });

function toUnits(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(SCALE, '0'));
}

test('a cost equals exact integer arithmetic', () => {
  const prices = fc.record({
    prompt: decimal,
    completion: decimal,
    image_output: decimal,
    internal_reasoning: decimal,
    web_search: decimal,
    request: decimal,
  });
  const parts = fc.record({ prompt: count, text: count, reasoning: count, image: count, searches: count });
  fc.assert(
    fc.property(prices, parts, (price, part) => {
      const pricing = Object.fromEntries(Object.entries(price).map(([key, { text }]) => [key, text]));
      const expected =
        BigInt(part.prompt) * price.prompt.units +
        BigInt(part.text) * price.completion.units +
        BigInt(part.reasoning) * price.internal_reasoning.units +
        BigInt(part.image) * price.image_output.units +
        BigInt(part.searches) * price.web_search.units +
        price.request.units;
      const usage = {
        promptTokens: part.prompt,
        completionTokens: part.text + part.reasoning + part.image,
        reasoningTokens: part.reasoning,
        imageOutputTokens: part.image,
        webSearches: part.searches,
      };
      expect(toUnits(priceUsage(pricing as unknown as Pricing, usage, 'usual') ?? '')).toBe(expected);
    }),
  );
});

const tiered: Pricing = {
  prompt: '0.000003',
  completion: '0.000015',
  overrides: [
    { min_prompt_tokens: 200_000, prompt: '0.000006', completion: '0.0000225' },
    { utc_start: 2200, utc_end: 400, completion: '0.00001' },
    { utc_days: ['sunday'], completion: '0.00002' },
  ],
};

test.each<[string, Tier, PricedUsage, string]>([
  ['at the threshold itself', 'usual', { promptTokens: 200_000, completionTokens: 1 }, '0.600015'],
  ['above the threshold', 'usual', { promptTokens: 200_001, completionTokens: 1 }, '1.2000285'],
  ['at worst the dearest hour', 'worst', { promptTokens: 0, completionTokens: 1 }, '0.00002'],
  ['at worst the dearest of hour and length', 'worst', { promptTokens: 200_001, completionTokens: 1 }, '1.2000285'],
])('a tier counts %s', (...[, tier, usage, expected]) => {
  expect(priceUsage(tiered, usage, tier)).toBe(expected);
});

test('reasoning priced "0" is billed as completion, and a fee is due without tokens', () => {
  const pricing = { prompt: '0', completion: '0.01', internal_reasoning: '0', request: '0.005' };
  expect(priceUsage(pricing, { promptTokens: 0, completionTokens: 3, reasoningTokens: 2 }, 'worst')).toBe('0.035');
  expect(priceUsage(pricing, { promptTokens: 0, completionTokens: 0 }, 'usual')).toBe('0.005');
});

test('a price that is not known before the call makes the cost unknown, not zero', () => {
  const router = { prompt: '-1', completion: '-1' };
  expect(priceUsage(router, { promptTokens: 1, completionTokens: 0 }, 'usual')).toBeNull();
  const partly = { prompt: '1', completion: '1', overrides: [{ min_prompt_tokens: 1, completion: '-1' }] };
  expect(priceUsage(partly, { promptTokens: 9, completionTokens: 1 }, 'worst')).toBeNull();
});
