import { Big } from 'big.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parameterSchema } from '#resources/parameter.ts';
import type { MediaParameter } from '#resources/index.ts';
import type { ImageEndpoint, ImagePrice, VideoModel } from '#upstreams/index.ts';
import { knownModel } from '../../tests/support/execution-deps.ts';
import type { PricedMedia } from './priced-media.ts';
import type { MediaSettings } from './media-settings.ts';
import { priceMediaOutput } from './price-media.ts';

const prompt = { typicalTokens: 10, worstTokens: 100 };
const line = (usd: string, more: Partial<ImagePrice> = {}): ImagePrice => ({
  billable: 'output_image',
  unit: 'image',
  usd,
  variant: null,
  ...more,
});
const film = (skus: Record<string, string>, durationsSeconds: number[] = [5, 8]): VideoModel => ({
  id: 'acme/film',
  skus,
  durationsSeconds,
  resolutions: [],
  aspectRatios: [],
  sizes: [],
  frameTypes: [],
  takesSeed: null,
  makesSound: null,
});

function ask(settings: MediaSettings, more: Partial<PricedMedia> = {}): PricedMedia {
  const nothing = { prompt: '0', completion: '0' };
  const none = { prices: { images: null, video: null }, pictures: [] };
  return { model: knownModel({ pricing: nothing }), settings, prompt, ...none, ...more };
}
const endpoint = (prices: ImagePrice[]): ImageEndpoint => ({ tag: 'acme', prices, capabilities: null });
const picture = (more: object = {}): MediaParameter =>
  parameterSchema.parse({ name: 'photo', type: 'image', maxPixels: 4_000_000, ...more }) as MediaParameter;
const cost = (route: Parameters<typeof priceMediaOutput>[0], question: PricedMedia) => {
  const quote = priceMediaOutput(route, question);
  return quote && [quote.typicalUsd, quote.worstUsd];
};
const pictures = (imageConfig: MediaSettings['imageConfig'], lines: ImagePrice[], sent: MediaParameter[] = []) =>
  cost('images', ask({ imageConfig }, { prices: { images: [endpoint(lines)], video: null }, pictures: sent }));
const films = (video: MediaSettings['video'], model: VideoModel, sent: MediaParameter[] = []) =>
  cost('videos', ask({ video }, { prices: { images: null, video: model }, pictures: sent }));

describe('pictures', () => {
  test.each<[string, MediaSettings['imageConfig'], ImagePrice[], string[] | null]>([
    ['by the picture, as many as asked for', { n: 3 }, [line('0.04')], ['0.12', '0.12']],
    [
      'of several providers: the cheapest typically, the dearest at worst',
      {},
      [line('0.04'), line('0.05')],
      ['0.04', '0.05'],
    ],
    ['by the megapixel of the size', { size: '2000x1000' }, [line('0.01', { unit: 'megapixel' })], ['0.02', '0.02']],
    ['by the token of the size', {}, [line('0.00001', { unit: 'token' })], ['0.0129', '0.063']],
    [
      'by the quality that is asked for',
      { quality: 'high' },
      [line('0.02', { variant: 'low' }), line('0.2', { variant: 'high' })],
      ['0.2', '0.2'],
    ],
    [
      'at any quality where none is asked for',
      {},
      [line('0.02', { variant: 'low' }), line('0.2', { variant: 'high' })],
      ['0.02', '0.2'],
    ],
    [
      'with the prompt, where it is priced',
      {},
      [line('0.04'), line('0.0001', { billable: 'input_text', unit: 'token' })],
      ['0.041', '0.05'],
    ],
    ['by a unit that nobody knows', {}, [line('0.04'), line('1', { unit: 'square' })], null],
    ['without any line', {}, [], null],
  ])('cost %s', (_what, ...[config, lines, expected]) => {
    expect(pictures(config, lines)).toEqual(expected);
  });

  test.each<[string, ImagePrice[], MediaParameter[], string[] | null]>([
    [
      'by the picture, for each',
      [line('0.2', { billable: 'input_reference' })],
      [picture(), picture({ name: 'other' })],
      ['0.44', '0.44'],
    ],
    [
      'that may be left out at worst alone',
      [line('0.2', { billable: 'input_reference' })],
      [picture({ required: false })],
      ['0.04', '0.24'],
    ],
    [
      'by the megapixel, as many as its parameter allows at worst',
      [line('0.01', { billable: 'input_image', unit: 'megapixel' })],
      [picture()],
      ['0.05', '0.08'],
    ],
    [
      'by the token, at high fidelity at worst',
      [line('0.00001', { billable: 'input_image', unit: 'token' })],
      [picture()],
      ['0.053', '0.15574'],
    ],
    [
      'by the token of the prompt, where they have no price of their own',
      [line('0.00001', { billable: 'input_text', unit: 'token' })],
      [picture()],
      // The prompt is billed by the same line.
      ['0.0531', '0.15674'],
    ],
    [
      'by both kinds of line together',
      [line('0.2', { billable: 'input_reference' }), line('0.1', { billable: 'input_image' })],
      [picture()],
      ['0.34', '0.34'],
    ],
    ['that nobody bills at nothing', [], [picture()], ['0.04', '0.04']],
    ['by a unit that nobody knows', [line('1', { billable: 'input_image', unit: 'square' })], [picture()], null],
  ])('cost with pictures to go by %s', (_what, ...[lines, sent, expected]) => {
    expect(pictures({}, [line('0.04'), ...lines], sent)).toEqual(expected);
  });

  test.each<[string, Record<string, string>, string[] | null]>([
    ['its own price of a picture', { image: '0.01' }, ['0.05', '0.05']],
    ['a dearer token of pictures', { prompt: '0.000005', image_token: '0.00001' }, ['0.053', '0.15574']],
    ['nothing, which is a price that stands elsewhere', {}, null],
  ])('without a list cost with a picture to go by what the catalogue says of %s', (_what, more, expected) => {
    const model = knownModel({ pricing: { prompt: '0', completion: '0', image_output: '0.04', ...more } });
    expect(cost('images', ask({}, { model, pictures: [picture()] }))).toEqual(expected);
  });

  test.each<[string, Record<string, string>, string[] | null]>([
    ['the token', { image_output: '0.00003' }, ['0.0774', '0.378']],
    ['the picture', { image_output: '0.04' }, ['0.08', '0.08']],
    ['nothing, which is a price that stands elsewhere', {}, null],
  ])('without a list cost what the catalogue says of %s', (_what, more, expected) => {
    const model = knownModel({ pricing: { prompt: '0', completion: '0', ...more } });
    expect(cost('images', ask({ imageConfig: { n: 2 } }, { model }))).toEqual(expected);
  });
});

describe('films', () => {
  const perSecond = { duration_seconds_720p: '0.2', duration_seconds_1080p: '0.4' };
  test.each<[string, MediaSettings['video'], VideoModel, string[] | null]>([
    ['by the second', { durationSeconds: 5, resolution: '720p' }, film(perSecond), ['1', '1']],
    ['of any size where none is set', { durationSeconds: 5 }, film(perSecond), ['1', '2']],
    ['of any length that the model has where none is set', { resolution: '720p' }, film(perSecond), ['1', '1.6']],
    [
      'with or without sound',
      { durationSeconds: 5, sound: false },
      film({ seconds: '0.4', seconds_without_audio: '0.2' }),
      ['1', '1'],
    ],
    [
      'by a name without a unit: the film typically, each second at worst',
      { durationSeconds: 5 },
      film({ generate: '0.5' }),
      ['0.5', '2.5'],
    ],
    ['by tokens, which nobody can count before', { durationSeconds: 5 }, film({ video_tokens: '0.00001' }), null],
    ['of a length that nobody knows', {}, film(perSecond, []), null],
    ['without a price', { durationSeconds: 5 }, film({}), null],
    [
      'in cents, where the name says so',
      { durationSeconds: 5, resolution: '480p' },
      film({ cents_per_video_output_second_480p: '5', cents_per_video_output_second_720p: '7' }),
      ['0.25', '0.25'],
    ],
    [
      'no less than the least that a film costs',
      { durationSeconds: 5 },
      film({ cents_per_second_output: '1', minimum_cents_per_generation: '20' }),
      ['0.2', '0.2'],
    ],
    [
      'without what is never sent or asked for',
      { durationSeconds: 5 },
      film({
        cents_per_second_output: '1',
        cents_per_video_input_second: '100',
        cents_per_second_video_continuation: '9',
      }),
      ['0.05', '0.05'],
    ],
  ])('cost %s', (_what, ...[settings, model, expected]) => {
    expect(films(settings, model)).toEqual(expected);
  });

  test.each<[string, Record<string, string>, MediaParameter[], string[] | null]>([
    [
      'for each',
      { cents_per_second_output: '1', cents_per_image_input: '2' },
      [picture(), picture({ name: 'other' })],
      ['0.09', '0.09'],
    ],
    [
      'that may be left out at worst alone',
      { cents_per_second_output: '1', cents_per_image_input: '2' },
      [picture({ required: false })],
      ['0.05', '0.07'],
    ],
    [
      'by another name of theirs',
      { 'per-video-second': '0.1', reference_images: '0.01' },
      [picture()],
      ['0.51', '0.51'],
    ],
    [
      'by the price of films that are made from pictures',
      { text_to_video_duration_seconds_720p: '0.1', image_to_video_duration_seconds_720p: '0.3' },
      [picture()],
      ['1.5', '1.5'],
    ],
    [
      'by either price where the picture may be left out',
      { text_to_video_duration_seconds_720p: '0.1', image_to_video_duration_seconds_720p: '0.3' },
      [picture({ required: false })],
      ['0.5', '1.5'],
    ],
    [
      'by the price of words where there are none',
      { text_to_video_duration_seconds_720p: '0.1', image_to_video_duration_seconds_720p: '0.3' },
      [],
      ['0.5', '0.5'],
    ],
  ])('cost with pictures that are sent along %s', (_what, ...[skus, sent, expected]) => {
    expect(films({ durationSeconds: 5 }, film(skus), sent)).toEqual(expected);
  });
});

test.each<[string, Parameters<typeof priceMediaOutput>[0], Record<string, string>, string[] | null]>([
  ['speech by the character', 'speech', { prompt: '0.00001' }, ['0.0004', '0.001']],
  ['speech by the sound that it makes', 'speech', { prompt: '0.00001', audio_output: '0.00002' }, null],
  ['a transcript', 'transcription', { audio: '0.00001' }, null],
  ['an embedding by the token', 'embeddings', { prompt: '0.000001' }, ['0.00001', '0.0001']],
  ['an embedding without a price', 'embeddings', {}, null],
  ['a ranking by the search, ten of them at worst', 'rerank', { request: '0.002' }, ['0.002', '0.02']],
  ['what a router chooses', 'embeddings', { prompt: '-1' }, null],
])('%s costs what is known before the call', (_what, ...[route, more, expected]) => {
  const model = knownModel({ pricing: { prompt: '0', completion: '0', ...more }, contextLength: null });
  const typical = { ...prompt, worstTokens: 100 };
  expect(cost(route, ask({}, { model, prompt: typical }))).toEqual(expected);
});

test('what is called free costs nothing, by every route', () => {
  const model = knownModel({ openrouterId: 'acme/any:free', pricing: { prompt: '0', completion: '0' } });
  for (const route of ['images', 'speech', 'transcription', 'videos', 'embeddings', 'rerank'] as const) {
    expect(cost(route, ask({}, { model }))).toEqual(['0', '0']);
  }
});

test('no line of a list is dearer than the worst case, whatever the list', () => {
  const price = fc.integer({ min: 1, max: 1_000_000 }).map((units) => new Big(units).div(1_000_000).toFixed());
  const lines = fc.array(fc.tuple(price, fc.constantFrom('image', 'token', 'megapixel')), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(lines, fc.integer({ min: 1, max: 10 }), (list, n) => {
      const images = list.map(([usd, unit]) => line(usd, { unit }));
      const [typical = '0', worst = '0'] = pictures({ n }, images) ?? [];
      const dearestPicture = images.filter(({ unit }) => unit === 'image').map(({ usd }) => new Big(usd).times(n));
      expect(new Big(worst).gte(typical)).toBe(true);
      expect(dearestPicture.every((usd) => new Big(worst).gte(usd))).toBe(true);
    }),
  );
});

test('no price of what is sent along is higher than the worst case, whatever the list and the pictures', () => {
  const price = fc.integer({ min: 0, max: 1_000_000 }).map((units) => new Big(units).div(1_000_000).toFixed());
  const lines = fc.array(
    fc.record({
      usd: price,
      unit: fc.constantFrom('image', 'megapixel', 'token'),
      billable: fc.constantFrom('input_image', 'input_reference'),
      variant: fc.constantFrom(null, '2k'),
    }),
    { maxLength: 5 },
  );
  const sent = fc.array(fc.tuple(fc.integer({ min: 1, max: 25_000_000 }), fc.boolean()), { maxLength: 4 });
  fc.assert(
    fc.property(lines, sent, (list, pixels) => {
      const photos = pixels.map(([maxPixels, required], at) => picture({ name: `p${at}`, maxPixels, required }));
      const [typical = '0', worst = '0'] = pictures({}, [line('0.04'), ...list], photos) ?? [];
      expect(new Big(worst).gte(typical)).toBe(true);
      const billed = list.map(({ usd, unit }) =>
        pixels.reduce(
          (sum, [most]) => sum.plus(new Big(usd).times(unit === 'megapixel' ? Math.ceil(most / 1_000_000) : 1)),
          new Big('0.04'),
        ),
      );
      expect(billed.every((usd) => new Big(worst).gte(usd))).toBe(true);
    }),
  );
});
