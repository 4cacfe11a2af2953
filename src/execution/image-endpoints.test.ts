import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parameterSchema } from '#resources/parameter.ts';
import type { Capability, ImageEndpoint } from '#upstreams/index.ts';
import { checkEndpoints, chooseEndpoints } from './image-endpoints.ts';
import type { MediaSettings } from './media-settings.ts';
import type { ProviderSettings } from './provider-settings.ts';

const any: Capability = { type: 'any' };
const endpoint = (tag: string | null, capabilities: ImageEndpoint['capabilities']): ImageEndpoint => ({
  tag,
  prices: [],
  capabilities,
});
const configured = (imageConfig: MediaSettings['imageConfig'], parameters: object[] = []) => ({
  settings: { imageConfig },
  parameters: parameters.map((one) => parameterSchema.parse(one)),
});
const seeded = configured({ seed: 7 });

describe('who may make a picture', () => {
  test.each<[string, ImageEndpoint[], ReturnType<typeof configured>, string[] | null | 'nobody']>([
    [
      'anybody, where all take what is asked for',
      [endpoint('a', { seed: any }), endpoint('b', { seed: any })],
      seeded,
      null,
    ],
    ['anybody, where nobody tells what is taken', [endpoint('a', null), endpoint(null, null)], seeded, null],
    ['anybody, where nothing is asked for', [endpoint('a', {}), endpoint('b', { seed: any })], configured({}), null],
    [
      'anybody, where only what is usual is asked for',
      [endpoint('a', {})],
      configured({ quality: 'auto', n: 1 }),
      null,
    ],
    ['those alone who take it', [endpoint('a', {}), endpoint('b', { seed: any })], seeded, ['b']],
    ['nobody who cannot be named', [endpoint('a', {}), endpoint(null, { seed: any })], seeded, 'nobody'],
    ['nobody, where nobody takes it', [endpoint('a', {})], seeded, 'nobody'],
    [
      'nobody, where nobody takes all of it',
      [endpoint('a', { seed: any }), endpoint('b', { quality: any })],
      configured({ seed: 7, quality: 'high' }),
      'nobody',
    ],
  ])('is %s', (_who, ...[endpoints, asked, expected]) => {
    const chosen = chooseEndpoints(endpoints, asked);
    expect(chosen === null ? 'nobody' : (chosen.provider?.only ?? null)).toEqual(expected);
  });

  test.each<[string, ProviderSettings, (string | null)[] | 'nobody']>([
    ['only', { only: ['a', 'b'] }, ['a', 'b/fast']],
    ['ignored', { ignore: ['b'] }, ['a', null]],
    ['first, and others after them', { order: ['b'] }, ['a', 'b/fast', null]],
    ['first, and no others', { order: ['b'], allowFallbacks: false }, ['b/fast']],
    ['only, though nobody is called so', { only: ['c'] }, 'nobody'],
  ])('is left by those that a creator names %s', (_how, ...[provider, expected]) => {
    const endpoints = [endpoint('a', null), endpoint('b/fast', null), endpoint(null, null)];
    const chosen = chooseEndpoints(endpoints, { settings: { provider }, parameters: [] });
    expect(chosen === null ? 'nobody' : chosen.endpoints.map(({ tag }) => tag)).toEqual(expected);
    expect(chosen?.provider ?? provider).toMatchObject(provider);
  });

  test('is told of the settings where nobody takes all of them', () => {
    const endpoints = [endpoint('a', { seed: any }), endpoint('b', { quality: any })];
    expect(checkEndpoints('acme/x', endpoints, configured({ seed: 7, quality: 'high' }))).toEqual([
      { path: '/config/imageConfig', message: expect.stringContaining('together: quality, seed') as string },
    ]);
  });
});

const pictures = ['a', 'b'].map((name) => ({ name, type: 'image' }));
const optional = pictures.map((one) => ({ ...one, required: false }));
const references = ['a', 'b'];

test.each<[string, Capability, object[], boolean]>([
  ['as many as are sent', { type: 'range', min: 0, max: 2 }, pictures, true],
  ['fewer than are sent', { type: 'range', min: 0, max: 1 }, pictures, false],
  ['fewer than may be sent', { type: 'range', min: 0, max: 1 }, optional, false],
  ['more than are sent', { type: 'range', min: 3, max: 4 }, pictures, false],
  ['at least one, and none may be sent', { type: 'range', min: 1, max: 2 }, optional, true],
  ['pictures, and does not tell how many', any, pictures, true],
])('a provider that takes %s', (_what, ...[told, parameters, isTaken]) => {
  const endpoints = [endpoint('a', { input_references: told })];
  expect(chooseEndpoints(endpoints, configured({ references }, parameters)) !== null).toBe(isTaken);
});

test('nobody is chosen who would leave out a value that a buyer may fill in', () => {
  const bound = fc.integer({ min: 0, max: 50 });
  const told = fc.tuple(bound, bound).map(([min, span]): Capability => ({ type: 'range', min, max: min + span }));
  fc.assert(
    fc.property(fc.array(told, { minLength: 1, maxLength: 4 }), bound, bound, (list, minimum, span) => {
      const endpoints = list.map((one, at) => endpoint(`p${at}`, { output_compression: one }));
      const kept = { name: 'kept', type: 'integer', minimum, maximum: minimum + span };
      const chosen = chooseEndpoints(endpoints, configured({ filledBy: { outputCompression: 'kept' } }, [kept]));
      const fits = (one: Capability): boolean =>
        one.type === 'range' && one.min <= minimum && one.max >= minimum + span;
      expect(chosen?.endpoints.length ?? 0).toBe(list.filter(fits).length);
    }),
  );
});
