import { Big } from 'big.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ImagePrice, VideoModel } from '#upstreams/index.ts';
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
});

function ask(settings: MediaSettings, more: Partial<PricedMedia> = {}): PricedMedia {
  const nothing = { prompt: '0', completion: '0' };
  return { model: knownModel({ pricing: nothing }), settings, prompt, prices: { images: null, video: null }, ...more };
}
const cost = (route: Parameters<typeof priceMediaOutput>[0], question: PricedMedia) => {
  const quote = priceMediaOutput(route, question);
  return quote && [quote.typicalUsd, quote.worstUsd];
};
const pictures = (imageConfig: MediaSettings['imageConfig'], images: ImagePrice[]) =>
  cost('images', ask({ imageConfig }, { prices: { images, video: null } }));
const films = (video: MediaSettings['video'], model: VideoModel) =>
  cost('videos', ask({ video }, { prices: { images: null, video: model } }));

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
  ])('cost %s', (_what, ...[settings, model, expected]) => {
    expect(films(settings, model)).toEqual(expected);
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
