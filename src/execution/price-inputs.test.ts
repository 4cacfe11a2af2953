import { Big } from 'big.js';
import { expect, test } from 'vitest';
import { parameterSchema } from '#resources/parameter.ts';
import { knownModel } from '../../tests/support/execution-deps.ts';
import type { KnownModel } from './execution-deps.ts';
import { priceMediaInputs } from './price-inputs.ts';

const parameter = (fields: object) => parameterSchema.parse({ name: 'it', ...fields });

function price(fields: object, model: Partial<KnownModel> = {}, pdfEngine?: string) {
  return priceMediaInputs({ model: knownModel(model), parameters: [parameter(fields)], pdfEngine });
}

const flat = { prompt: '0.000001', completion: '0.000002' };

test('a call without files costs nothing for files', () => {
  const none = { typicalTokens: 0, worstTokens: 0, typicalUsd: '0', worstUsd: '0', basis: '' };
  expect(price({ type: 'string' })).toEqual(none);
  expect(priceMediaInputs({ model: knownModel(), parameters: [] })).toEqual(none);
});

test('a picture counts by its most pixels, and within what makers scale it down to', () => {
  expect(price({ type: 'image', maxPixels: 3_000_000 })).toMatchObject({ worstTokens: 4_000, worstUsd: '0' });
  expect(price({ type: 'image', maxPixels: 1 })?.worstTokens).toBe(2_600);
  expect(price({ type: 'image', maxPixels: 100_000_000 })?.worstTokens).toBe(16_384);
  expect(price({ type: 'image' }, { openrouterId: 'openai/gpt-4o-mini' })?.worstTokens).toBe(48_200);
});

test('a price of a picture that no token could have is one of the picture, any other is one of its tokens', () => {
  const image = { type: 'image', maxPixels: 750 * 3_000 };
  expect(price(image, { pricing: { ...flat, image: '0.004' } })).toMatchObject({
    typicalUsd: '0.004',
    worstUsd: '0.004',
  });
  expect(price(image, { pricing: { ...flat, image: '0.000003' } })).toMatchObject({
    worstTokens: 3_000,
    worstUsd: '0.006',
  });
  expect(price(image, { pricing: { ...flat, image_token: '0.000002' } })?.worstUsd).toBe('0.003');
});

test('sound costs what its tokens cost more than those of the prompt, by its most seconds', () => {
  const audio = { type: 'audio', maxSeconds: 100 };
  expect(price(audio)).toMatchObject({ worstTokens: 4_000, worstUsd: '0' });
  expect(price(audio, { pricing: { ...flat, audio: '0.00001' } })).toMatchObject({
    worstTokens: 4_000,
    worstUsd: '0.036',
  });
});

test.each([
  ['mistral-ocr', ['text', 'file'], '0.04'],
  ['cloudflare-ai', ['text'], '0'],
  ['native', ['text', 'file'], '0'],
  // OpenRouter scans what the model cannot read.
  [undefined, ['text'], '0.04'],
  [undefined, ['text', 'file'], '0'],
])('with the PDF engine %s and a model of %j twenty pages cost %s to be read', (engine, inputModalities, worstUsd) => {
  const found = price({ type: 'pdf', maxPages: 20 }, { inputModalities }, engine);
  expect(found).toMatchObject({ worstTokens: 100_000, worstUsd });
});

test('a file of several kinds costs what the dearest of them costs', () => {
  const contentTypes = ['image/png', 'application/pdf'];
  const found = price({ type: 'file', contentTypes, maxPages: 30, maxPixels: 1_000 });
  expect(found?.worstTokens).toBe(150_000);
});

test('a dearer hour or length of the catalogue counts, and a price that is not known makes the cost unknown', () => {
  const overrides = [{ min_prompt_tokens: 10, audio: '0.00002' }];
  const audio = { type: 'audio', maxSeconds: 10 };
  expect(price(audio, { pricing: { ...flat, audio: '0.000002', overrides } })?.worstUsd).toBe('0.0076');
  expect(price(audio, { pricing: { ...flat, audio: '-1' } })).toBeNull();
});

test('the worst is never less than what is typical', () => {
  for (const type of ['image', 'audio', 'video', 'pdf', 'file']) {
    for (const caps of [{}, { maxBytes: 1 }]) {
      const found = price({ type, ...caps }, { pricing: { ...flat, audio: '0.00001', image: '0.001' } });
      expect(found?.worstTokens).toBeGreaterThanOrEqual(found?.typicalTokens ?? Infinity);
      expect(new Big(found?.worstUsd ?? 0).gte(found?.typicalUsd ?? 1)).toBe(true);
    }
  }
});
