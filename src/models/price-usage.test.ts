import fc from 'fast-check';
import { expect, test } from 'vitest';
import { priceUsage, type PricedUsage } from './price-usage.ts';
import { pricingSchema, priceKeys, type Pricing } from './pricing.ts';

const SCALE = 15;

/** An exact decimal with 15 places, and the same as an integer of 10^-15 USD. */
const decimal = fc.bigInt({ min: 0n, max: 10n ** 14n }).map((units) => {
  const digits = units.toString().padStart(SCALE + 1, '0');
  return { units, text: `${digits.slice(0, -SCALE)}.${digits.slice(-SCALE)}` };
});
const count = fc.integer({ min: 0, max: 2_000_000 });

function toUnits(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(SCALE, '0'));
}

test('equals exact integer arithmetic for every price key', () => {
  const prices = fc.record(Object.fromEntries(priceKeys.map((key) => [key, decimal])));
  const parts = fc.record({
    cacheReadTokens: count,
    cacheWriteTokens: count,
    cacheWrite1hTokens: count,
    audioTokens: count,
    cachedAudioTokens: count,
    imageTokens: count,
    reasoningTokens: count,
    imageOutputTokens: count,
    audioOutputTokens: count,
    images: count,
    webSearches: count,
    requests: count,
  });
  fc.assert(
    fc.property(prices, parts, fc.tuple(count, count), (price, part, [plainPrompt, plainCompletion]) => {
      const of = (key: string): bigint => price[key]?.units ?? 0n;
      const reasoningPrice = of('internal_reasoning') === 0n ? of('completion') : of('internal_reasoning');
      const expected =
        BigInt(plainPrompt) * of('prompt') +
        BigInt(part.cacheReadTokens) * of('input_cache_read') +
        BigInt(part.cacheWriteTokens) * of('input_cache_write') +
        BigInt(part.cacheWrite1hTokens) * of('input_cache_write_1h') +
        BigInt(part.audioTokens) * of('audio') +
        BigInt(part.cachedAudioTokens) * of('input_audio_cache') +
        BigInt(part.imageTokens) * of('image_token') +
        BigInt(plainCompletion) * of('completion') +
        BigInt(part.reasoningTokens) * reasoningPrice +
        BigInt(part.imageOutputTokens) * of('image_output') +
        BigInt(part.audioOutputTokens) * of('audio_output') +
        BigInt(part.images) * of('image') +
        BigInt(part.webSearches) * of('web_search') +
        BigInt(part.requests) * of('request');
      const inputParts =
        part.cacheReadTokens +
        part.cacheWriteTokens +
        part.cacheWrite1hTokens +
        part.audioTokens +
        part.cachedAudioTokens +
        part.imageTokens;
      const outputParts = part.reasoningTokens + part.imageOutputTokens + part.audioOutputTokens;
      const pricing = pricingSchema.parse(
        Object.fromEntries(Object.entries(price).map(([key, value]) => [key, value.text])),
      );
      const usage = {
        ...part,
        promptTokens: plainPrompt + inputParts,
        completionTokens: plainCompletion + outputParts,
      };
      expect(toUnits(priceUsage({ pricing }, usage) ?? '')).toBe(expected);
    }),
  );
});

const tiered: Pricing = {
  prompt: '0.000003',
  completion: '0.000015',
  input_cache_read: '0.0000003',
  overrides: [
    { min_prompt_tokens: 200_000, prompt: '0.000006', completion: '0.0000225' },
    { utc_start: 2200, utc_end: 400, completion: '0.00001' },
    { utc_days: ['sunday'], input_cache_read: '0' },
  ],
};
const noon = new Date('2026-11-18T12:00:00Z');

test.each<[string, PricedUsage, string | null]>([
  ['nothing used', { promptTokens: 0, completionTokens: 0, at: noon }, '0'],
  ['the threshold itself', { promptTokens: 200_000, completionTokens: 1, at: noon }, '0.600015'],
  ['one more than the threshold', { promptTokens: 200_001, completionTokens: 1, at: noon }, '1.2000285'],
  ['before the window', { promptTokens: 0, completionTokens: 1, at: new Date('2026-11-18T21:59:59Z') }, '0.000015'],
  ['start of the window', { promptTokens: 0, completionTokens: 1, at: new Date('2026-11-18T22:00:00Z') }, '0.00001'],
  ['past midnight', { promptTokens: 0, completionTokens: 1, at: new Date('2026-11-19T03:59:59Z') }, '0.00001'],
  ['end of the window', { promptTokens: 0, completionTokens: 1, at: new Date('2026-11-19T04:00:00Z') }, '0.000015'],
  [
    'the later override wins per key',
    { promptTokens: 200_001, completionTokens: 1, at: new Date('2026-11-18T23:00:00Z') },
    '1.200016',
  ],
  [
    'a day of the week',
    { promptTokens: 10, cacheReadTokens: 10, completionTokens: 0, at: new Date('2026-11-22T12:00:00Z') },
    '0',
  ],
  ['cached prompt tokens', { promptTokens: 10, cacheReadTokens: 4, completionTokens: 0, at: noon }, '0.0000192'],
  ['cache writes without a price', { promptTokens: 10, cacheWriteTokens: 4, completionTokens: 0, at: noon }, '0.00003'],
  ['more parts than the total', { promptTokens: 1, cacheReadTokens: 4, completionTokens: 0, at: noon }, '0.0000012'],
  [
    'reasoning is part of the completion',
    { promptTokens: 0, completionTokens: 9, reasoningTokens: 5, at: noon },
    '0.000135',
  ],
])('%s', (_what, usage, expected) => {
  expect(priceUsage({ pricing: tiered }, usage)).toBe(expected);
});

test('reasoning priced "0" is billed as completion, as the catalogue means it', () => {
  const pricing = { prompt: '0', completion: '0.01', internal_reasoning: '0' };
  expect(priceUsage({ pricing }, { promptTokens: 0, completionTokens: 3, reasoningTokens: 2 })).toBe('0.03');
});

test('a router has no price before the call; a request fee is due even without tokens', () => {
  expect(
    priceUsage({ pricing: { prompt: '-1', completion: '-1' } }, { promptTokens: 1, completionTokens: 0 }),
  ).toBeNull();
  const fee = { prompt: '0', completion: '0', request: '0.005' };
  expect(priceUsage({ pricing: fee }, { promptTokens: 0, completionTokens: 0 })).toBe('0.005');
});

test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses %s as a count', (bad) => {
  expect(() => priceUsage({ pricing: tiered }, { promptTokens: bad, completionTokens: 0 })).toThrow(RangeError);
});
