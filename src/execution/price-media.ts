import { Big } from 'big.js';
import { priceUsage } from '#models/index.ts';
import type { CostQuote } from '#resources/index.ts';
import type { ImagePrice } from '#upstreams/index.ts';
import type { KnownModel } from './execution-deps.ts';
import type { PricedMedia } from './priced-media.ts';
import type { MediaRun } from './media-run.ts';
import { CHARACTERS_PER_TOKEN } from './measure-prompt.ts';
import { isPerPicture, pictureTokens } from './picture-tokens.ts';
import { priceReferences, priceReferencesByCatalogue } from './price-references.ts';
import { priceVideo } from './price-video.ts';

type Route = MediaRun['route'];

/** Why nobody knows before a call what it costs, by the route; in the creator's words. */
export const whyUnpriced: Readonly<Record<Route, string>> = {
  images:
    "The price list of this model's pictures, or of those that it goes by, cannot be read, and the catalogue tells none.",
  speech: 'This model is paid by the sound that it makes, whose length is not known before.',
  transcription: 'The catalogue does not tell the price of a second of sound.',
  videos:
    "The price list of this model's films tells no unit that is understood, or no length is set (video.durationSeconds).",
  embeddings: 'The catalogue tells no price of this model.',
  rerank: 'The catalogue tells no price of this model.',
};

const priceRoute: Readonly<Record<Route, (question: PricedMedia) => CostQuote | null>> = {
  images: priceImages,
  speech: priceSpeech,
  transcription: () => null,
  videos: priceVideo,
  embeddings: priceTokens,
  rerank: priceRerank,
};

/** What one call of a route that is no chat costs, USD; null where nobody knows (`whyUnpriced`). */
export function priceMediaOutput(route: Route, question: PricedMedia): CostQuote | null {
  const { openrouterId, pricing } = question.model;
  if (openrouterId.endsWith(':free')) {
    return { typicalUsd: '0', worstUsd: '0', basis: `${openrouterId} is free.` };
  }
  return pricing.prompt === '-1' || pricing.completion === '-1' ? null : priceRoute[route](question);
}

/** Exact lines of the providers where there are any, else the catalogue's price of a picture or of its tokens. */
function priceImages(question: PricedMedia): CostQuote | null {
  const { model, settings, prices, pictures } = question;
  const { n = 1, imageSize = '1K' } = settings.imageConfig ?? {};
  const hasLines = prices.images?.some(({ prices: lines }) => lines.some(isOutput)) ?? false;
  const made = hasLines ? priceByLines(question, n, imageSize) : priceByCatalogue(model, n, imageSize);
  const read =
    prices.images === null ? priceReferencesByCatalogue(model, pictures) : priceReferences(prices.images, pictures);
  if (made === null || read === null) {
    return null;
  }
  const source = hasLines ? "its providers' price lists" : "the catalogue's list prices";
  const sent = pictures.length === 0 ? '' : `, and up to ${pictures.length} that it goes by`;
  return {
    typicalUsd: read.typical.plus(made.typicalUsd).toFixed(),
    worstUsd: read.worst.plus(made.worstUsd).toFixed(),
    basis: `${model.openrouterId} at ${source}: ${made.says}${sent}.`,
  };
}

function isOutput({ billable }: ImagePrice): boolean {
  return billable === 'output_image';
}

interface MadeCost {
  typicalUsd: Big;
  worstUsd: Big;
  says: string;
}

function priceByLines({ settings, prompt, prices }: PricedMedia, n: number, imageSize: string): MadeCost | null {
  const { size, quality } = settings.imageConfig ?? {};
  const all = prices.images?.flatMap(({ prices: lines }) => lines) ?? [];
  const lines = all.filter(isOutput);
  const asked = [quality, size, imageSize].flatMap((word) => (word === undefined ? [] : [word.toLowerCase()]));
  const fitting = lines.filter(
    ({ variant }) => variant === null || asked.some((word) => variant.toLowerCase().includes(word)),
  );
  const counted = (fitting.length > 0 ? fitting : lines).map(({ unit, usd }) => {
    const units = toUnits(unit, { imageSize, size });
    return units === null ? null : units.map((count) => new Big(usd).times(count).times(n));
  });
  if (counted.includes(null)) {
    return null;
  }
  const costs = counted.flatMap((each) => each ?? []).toSorted((one, other) => one.cmp(other));
  const read = all.filter(({ billable, unit }) => billable === 'input_text' && unit === 'token');
  const dearest = read.reduce((most, { usd }) => (most.gt(usd) ? most : new Big(usd)), new Big(0));
  return {
    typicalUsd: (costs[0] ?? new Big(0)).plus(dearest.times(prompt.typicalTokens)),
    worstUsd: (costs.at(-1) ?? new Big(0)).plus(dearest.times(prompt.worstTokens)),
    says: `${n} of ${size ?? imageSize}, the dearest provider at worst`,
  };
}

/** Fewest and most of a unit for one picture; null for a unit that is not known. */
function toUnits(unit: string, asked: { imageSize: string; size: string | undefined }): number[] | null {
  switch (unit) {
    case 'image':
    case 'request':
      return [1];
    case 'megapixel':
      return [toMegapixels(asked)];
    case 'token': {
      const { typical, worst } = pictureTokens(asked.imageSize);
      return [typical, worst];
    }
    default:
      return null;
  }
}

const sides: Readonly<Record<string, number>> = { '512': 512, '1K': 1_024, '2K': 2_048, '4K': 4_096 };

function toMegapixels({ imageSize, size }: { imageSize: string; size: string | undefined }): number {
  const [width = 0, height = 0] = size?.split('x').map(Number) ?? [
    sides[imageSize] ?? 1_024,
    sides[imageSize] ?? 1_024,
  ];
  return Math.ceil((width * height) / 10_000) / 100;
}

function priceByCatalogue(model: KnownModel, n: number, imageSize: string): MadeCost | null {
  const { image_output: picture, completion, request = '0' } = model.pricing;
  const price = picture ?? completion;
  if ([price, request].every((usd) => usd === '0')) {
    return null;
  }
  const { typical, worst } = pictureTokens(imageSize);
  const isWhole = isPerPicture(price);
  const toCost = (tokens: number): Big =>
    new Big(price)
      .times(isWhole ? 1 : tokens)
      .plus(request)
      .times(n);
  const says = isWhole ? `${n} pictures` : `${n} pictures of ${typical} to ${worst} tokens`;
  return { typicalUsd: toCost(typical), worstUsd: toCost(worst), says };
}

/** By the character that is spoken: https://openrouter.ai/docs/api-reference/text-to-speech */
function priceSpeech({ model, prompt }: PricedMedia): CostQuote | null {
  const { prompt: perCharacter, completion, audio_output: perSound = '0', request = '0' } = model.pricing;
  if (perCharacter === '0' || completion !== '0' || perSound !== '0') {
    return null;
  }
  const characters = [prompt.typicalTokens * CHARACTERS_PER_TOKEN, prompt.worstTokens] as const;
  const toCost = (count: number): string => new Big(perCharacter).times(count).plus(request).toFixed();
  const [typical, most] = [Math.min(...characters), characters[1]];
  return {
    typicalUsd: toCost(typical),
    worstUsd: toCost(most),
    basis: `${model.openrouterId} at the catalogue's list prices: ${typical} to ${most} characters.`,
  };
}

function priceTokens({ model, prompt }: PricedMedia): CostQuote | null {
  const most = model.contextLength ?? Number.MAX_SAFE_INTEGER;
  const toCost = (tokens: number, tier: 'usual' | 'worst') =>
    priceUsage(model.pricing, { promptTokens: Math.min(tokens, most), completionTokens: 0 }, tier);
  const [typicalUsd, worstUsd] = [toCost(prompt.typicalTokens, 'usual'), toCost(prompt.worstTokens, 'worst')];
  return model.pricing.prompt === '0' && (model.pricing.request ?? '0') === '0'
    ? null
    : typicalUsd === null || worstUsd === null
      ? null
      : {
          typicalUsd,
          worstUsd,
          basis: `${model.openrouterId} at the catalogue's list prices: ${prompt.typicalTokens} to ${prompt.worstTokens} tokens.`,
        };
}

/** A search unit is one query over at most a hundred documents; a thousand can be sent. */
const MOST_SEARCH_UNITS = 10;

function priceRerank(question: PricedMedia): CostQuote | null {
  const { request = '0' } = question.model.pricing;
  const byTokens = priceTokens(question);
  return byTokens === null
    ? null
    : {
        typicalUsd: byTokens.typicalUsd,
        worstUsd: new Big(byTokens.worstUsd).plus(new Big(request).times(MOST_SEARCH_UNITS - 1)).toFixed(),
        basis: `${byTokens.basis} The fee of a request is counted once, at worst ten times (1,000 documents).`,
      };
}
