import { expect, test } from 'vitest';
import { knownModel } from '../../tests/support/execution-deps.ts';
import { checkModel, toModalities } from './check-model.ts';
import type { KnownModel } from './execution-deps.ts';

const clock = { now: () => Date.parse('2026-11-21T12:00:00Z') };

function check(model: KnownModel | null, settings: object = {}, modelId = 'acme/poet') {
  const all = { sellsTruncated: true, maxTokens: 1_024, ...settings };
  return checkModel({ model, modelId, path: '/config/modelId', settings: all, nearest: [], clock });
}

function checkNearest(nearest: string[]): string | undefined {
  const asked = {
    model: null,
    modelId: 'acme/poett',
    path: '/config/modelId',
    settings: { sellsTruncated: true, maxTokens: 1 },
  };
  return checkModel({ ...asked, nearest, clock })[0]?.message;
}

test('accepts a model that fits', () => {
  expect(check(knownModel(), { temperature: 1 })).toEqual([]);
  expect(check(knownModel({ expirationDate: '2026-11-21' }))).toEqual([]);
  expect(check(knownModel({ outputModalities: ['text', 'image'] }), { imageConfig: {} })).toEqual([]);
});

test.each<[string, KnownModel | null, object, string, string]>([
  ['unknown', null, {}, '/config/modelId', 'no model "acme/poet"'],
  ['inactive', knownModel({ isActive: false }), {}, '/config/modelId', 'no longer offered'],
  ['expired', knownModel({ expirationDate: '2026-11-20' }), {}, '/config/modelId', 'ended on 2026-11-20'],
  [
    'speech only',
    knownModel({ outputModalities: ['audio'] }),
    {},
    '/config/modelId',
    'neither text nor images (audio)',
  ],
  ['too many tokens', knownModel(), { maxTokens: 5_000 }, '/config/maxTokens', 'at most 4096 tokens'],
  ['no topP', knownModel(), { topP: 0.5 }, '/config/topP', 'does not take top_p'],
  ['no images', knownModel(), { imageConfig: {} }, '/config/imageConfig', 'makes no images'],
])('refuses: %s', (...[, model, settings, path, message]) => {
  expect(check(model, settings)).toEqual([{ path, message: expect.stringContaining(message) }]);
});

test('refuses a name that moves, and no name', () => {
  const moving = knownModel({ openrouterId: '~acme/poet-latest' });
  for (const written of [
    '~acme/poet-latest',
    'openrouter/~acme/poet-latest',
    'https://openrouter.ai/~acme/poet-latest',
  ]) {
    expect(check(moving, {}, written)[0]?.message).toContain('moves on');
  }
  expect(check(null, {}, ' ')[0]?.message).toBe('Choose a model.');
});

test('a name that the catalogue does not have is answered with the nearest ids', () => {
  expect(checkNearest(['acme/poet', 'acme/poem'])).toBe(
    'The catalogue has no model "acme/poett". Did you mean acme/poet or acme/poem?',
  );
  expect(checkNearest([])).toBe('The catalogue has no model "acme/poett".');
});

test('a router may be sold: OpenRouter accepts it, and a warning says that its cost is not known', () => {
  expect(check(knownModel({ isRouter: true }))).toEqual([]);
});

test('asks image-only models for images only, and routers for text', () => {
  expect(toModalities(knownModel({ outputModalities: ['image'] }))).toEqual(['image']);
  expect(toModalities(knownModel({ outputModalities: ['text', 'image'] }))).toEqual(['image', 'text']);
  expect(toModalities(knownModel({ outputModalities: ['text', 'image'], isRouter: true }))).toEqual(['text']);
});
