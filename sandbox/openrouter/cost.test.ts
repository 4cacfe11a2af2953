import { Big } from 'big.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readSnapshot } from '#models/index.ts';
import { priceCall, toUsd } from './cost.ts';

const at = new Date(Date.UTC(2026, 10, 21, 12, 30));

test('prices are per token, the request fee once, image tokens at their own price', () => {
  const pricing = { prompt: '0.000001', completion: '0.000002', request: '0.01', image_output: '0.00003' };
  const cost = priceCall(pricing, { prompt: 10, completion: 1_300, image: 1_290 }, at);
  expect(cost.prompt.toFixed()).toBe('0.01001');
  expect(cost.completion.toFixed()).toBe('0.03872');
  expect(cost.total.toFixed()).toBe('0.04873');
});

test('a tier applies only above its threshold, the most demanding one wins', () => {
  const tier = (min: number, prompt: string) => ({ min_prompt_tokens: min, prompt });
  const pricing = { prompt: '1', completion: '0', overrides: [tier(100, '2'), tier(200, '3')] };
  const price = (prompt: number) => priceCall(pricing, { prompt, completion: 0, image: 0 }, at).total.toFixed();
  expect([price(100), price(101), price(200), price(201)]).toStrictEqual(['100', '202', '400', '603']);
});

test('a tier with a UTC window applies inside it, over midnight too', () => {
  const price = (start: number, end: number) =>
    priceCall(
      { prompt: '1', completion: '0', overrides: [{ utc_start: start, utc_end: end, prompt: '5' }] },
      { prompt: 1, completion: 0, image: 0 },
      at,
    ).total.toFixed();
  expect([price(1200, 1300), price(1231, 1300), price(2200, 1235), price(2200, 1200)]).toStrictEqual([
    '5',
    '1',
    '5',
    '1',
  ]);
});

test('a price that the catalogue calls unknown costs nothing', () => {
  const cost = priceCall({ prompt: '-1', completion: '-1' }, { prompt: 9, completion: 9, image: 0 }, at);
  expect(cost.total.toFixed()).toBe('0');
});

test('over the whole catalogue the parts sum exactly, also as the JSON numbers that go out', async () => {
  const models = (await readSnapshot()).models as { pricing: Record<string, unknown> }[];
  const count = fc.integer({ min: 0, max: 1_000_000 });
  fc.assert(
    fc.property(fc.constantFrom(...models), fc.tuple(count, count, count), ({ pricing }, [prompt, text, image]) => {
      const cost = priceCall(pricing, { prompt, completion: text + image, image }, at);
      expect(cost.prompt.plus(cost.completion).eq(cost.total)).toBe(true);
      const sent = [cost.prompt, cost.completion, cost.total].map((part) => JSON.stringify(toUsd(part)));
      const [first = '', second = '', total = ''] = sent;
      expect(new Big(first).plus(second).eq(total)).toBe(true);
      expect(new Big(total).eq(cost.total)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
