import { Big } from 'big.js';
import type { Pricing } from '#models/index.ts';
import { isMedia, toMediaCaps, type MediaCaps, type Parameter } from '#resources/index.ts';
import type { KnownModel } from './execution-deps.ts';
import { isPerPicture } from './picture-tokens.ts';

type Prices = Pick<Pricing, 'prompt' | 'image' | 'image_token' | 'audio'>;

/** What the files of a call add to its cost. */
export interface MediaInputsPrice {
  /** Of one reading, billed with the prompt, at its price. */
  typicalTokens: number;
  worstTokens: number;
  /** Beside those, of all readings: what a picture or a token of sound costs more than a token of the prompt, and pages once. USD. */
  typicalUsd: string;
  worstUsd: string;
  /** In words; empty where there are no files. */
  basis: string;
}

interface Asked {
  model: Pick<KnownModel, 'openrouterId' | 'inputModalities' | 'pricing'>;
  parameters: readonly Parameter[];
  pdfEngine?: string | undefined;
  /** How often one request makes the model read them: once, and again after each web search. */
  readings?: Range;
}

interface Range {
  typical: number;
  worst: number;
}

const ONCE: Range = { typical: 1, worst: 1 };

/**
 * Makers count pictures by tiles, patches or pixels: 750 pixels a token (https://docs.anthropic.com/en/docs/build-with-claude/vision)
 * is among the densest, small pictures count as some minimum, and all of them scale large ones down.
 */
const PIXELS_PER_TOKEN = 750;
export const IMAGE_TOKENS = { typical: 1_300, least: 2_600, most: 16_384 };
/** These bill a picture as thirty times the tokens of their siblings (https://platform.openai.com/docs/guides/images-vision). */
const denseImages: readonly { model: string; tokens: Range }[] = [
  { model: 'openai/gpt-4o-mini', tokens: { typical: 25_500, worst: 48_200 } },
];
/** 32 a second at Google (https://ai.google.dev/gemini-api/docs/audio), 10 at OpenAI. */
const AUDIO_TOKENS_PER_SECOND = { typical: 25, worst: 40 };
/** One frame and its sound a second (https://ai.google.dev/gemini-api/docs/video-understanding). */
const VIDEO_TOKENS_PER_SECOND = { typical: 100, worst: 300 };
/** Text and, where a model reads pages itself, their picture (https://docs.anthropic.com/en/docs/build-with-claude/pdf-support). */
const TOKENS_PER_PAGE = { typical: 1_000, worst: 5_000 };
/** Of mistral-ocr, by the page (https://openrouter.ai/docs/features/multimodal/pdfs). */
const OCR_PAGE_USD = '0.002';
const MOST_TYPICAL = { seconds: 60, pages: 5 };

/** By the caps of the parameters: any file that they allow costs no more than the worst. Null where a price is not known. */
export function priceMediaInputs({ model, parameters, pdfEngine, readings = ONCE }: Asked): MediaInputsPrice | null {
  const prices = toDearest(model.pricing);
  if ([prices.image, prices.image_token, prices.audio].includes('-1')) {
    return null;
  }
  const lines = parameters.filter(isMedia).map((parameter) => {
    const priced = { model, prices, pdfEngine, readings };
    return { name: parameter.name, ...toDearestReading(listReadings(priced, toMediaCaps(parameter)), priced) };
  });
  return {
    typicalTokens: lines.reduce((sum, { tokens }) => sum + tokens.typical, 0),
    worstTokens: lines.reduce((sum, { tokens }) => sum + tokens.worst, 0),
    typicalUsd: lines.reduce((sum, { extra }) => sum.plus(extra.typical), new Big(0)).toFixed(),
    worstUsd: lines.reduce((sum, { extra }) => sum.plus(extra.worst), new Big(0)).toFixed(),
    basis: lines
      .map(({ name, tokens, says }) => `${tokens.typical} to ${tokens.worst} tokens of \`${name}\`${says}`)
      .join(', '),
  };
}

interface Reading {
  tokens: Range;
  extra: { typical: Big; worst: Big };
  says: string;
}

interface Priced extends Pick<Asked, 'model' | 'pdfEngine'> {
  prices: Prices;
  readings: Range;
}

/** One for each kind of file that the parameter takes. */
function listReadings(priced: Priced, caps: MediaCaps): Reading[] {
  const takes = (kind: string): boolean => caps.contentTypes.some((type) => type.startsWith(kind));
  return [
    ...(takes('image/') ? [readImage(priced, caps)] : []),
    ...(takes('audio/') ? [readSeconds(priced, caps, AUDIO_TOKENS_PER_SECOND)] : []),
    ...(takes('video/') ? [readSeconds(priced, caps, VIDEO_TOKENS_PER_SECOND)] : []),
    ...(takes('application/pdf') ? [readPages(priced, caps)] : []),
  ];
}

function readImage({ model, prices, readings }: Priced, { maxPixels }: MediaCaps): Reading {
  const dense = denseImages.find((one) => model.openrouterId.startsWith(one.model));
  const tokens = dense?.tokens ?? { typical: IMAGE_TOKENS.typical, worst: toImageTokens(maxPixels) };
  const { image } = prices;
  const isWhole = image !== undefined && isPerPicture(image);
  const perToken = overPrompt(prices, isWhole ? [prices.image_token] : [prices.image_token, image]);
  const perPicture = isWhole ? image : 0;
  const once = toExtra(tokens, perToken);
  const extra = { typical: once.typical.plus(perPicture), worst: once.worst.plus(perPicture) };
  return { tokens, extra: readAgain(extra, readings), says: '' };
}

/** Of a picture of so many pixels, at worst. */
export function toImageTokens(maxPixels: number | null): number {
  const tokens = Math.max(IMAGE_TOKENS.least, Math.ceil((maxPixels ?? Infinity) / PIXELS_PER_TOKEN));
  return Math.min(IMAGE_TOKENS.most, tokens);
}

function readSeconds({ prices, readings }: Priced, { maxSeconds }: MediaCaps, perSecond: Range): Reading {
  const most = maxSeconds ?? 0;
  const tokens = {
    typical: Math.ceil(Math.min(most, MOST_TYPICAL.seconds) * perSecond.typical),
    worst: Math.ceil(most * perSecond.worst),
  };
  // Film brings its sound.
  const extra = readAgain(toExtra(tokens, overPrompt(prices, [prices.audio])), readings);
  return { tokens, extra, says: ` (at most ${most} seconds)` };
}

function readPages({ model, pdfEngine }: Priced, { maxPages }: MediaCaps): Reading {
  const most = maxPages ?? 0;
  const typical = Math.min(most, MOST_TYPICAL.pages);
  const mayScan = pdfEngine === undefined && !model.inputModalities.includes('file');
  const perPage = pdfEngine === 'mistral-ocr' || mayScan ? OCR_PAGE_USD : '0';
  return {
    tokens: { typical: typical * TOKENS_PER_PAGE.typical, worst: most * TOKENS_PER_PAGE.worst },
    extra: { typical: new Big(perPage).times(typical), worst: new Big(perPage).times(most) },
    says: ` (at most ${most} pages${perPage === '0' ? '' : `, each ${perPage} USD to be read`})`,
  };
}

/** A parameter that takes several kinds costs what the dearest costs. */
function toDearestReading(list: readonly Reading[], { prices, readings }: Priced): Reading {
  const none: Reading = {
    tokens: { typical: 0, worst: 0 },
    extra: { typical: new Big(0), worst: new Big(0) },
    says: '',
  };
  const costOf = ({ tokens, extra }: Reading): Big =>
    extra.worst.plus(new Big(prices.prompt).times(tokens.worst).times(readings.worst));
  return list.toSorted((one, other) => costOf(other).cmp(costOf(one)))[0] ?? none;
}

function toExtra(tokens: Range, perToken: Big): { typical: Big; worst: Big } {
  return { typical: perToken.times(tokens.typical), worst: perToken.times(tokens.worst) };
}

function readAgain({ typical, worst }: Reading['extra'], readings: Range): Reading['extra'] {
  return { typical: typical.times(readings.typical), worst: worst.times(readings.worst) };
}

function overPrompt({ prompt }: Prices, others: readonly (string | undefined)[]): Big {
  return others.reduce((most, price) => {
    const over = new Big(price ?? 0).minus(prompt);
    return over.gt(most) ? over : most;
  }, new Big(0));
}

/** Of each the dearest that holds at any hour or length. */
function toDearest({ overrides = [], ...base }: KnownModel['pricing']): Prices {
  const dearest: Prices = { ...base };
  for (const tier of overrides) {
    for (const key of ['image', 'image_token', 'audio'] as const) {
      const price = tier[key];
      if (price !== undefined && (price === '-1' || new Big(price).gt(dearest[key] ?? 0))) {
        dearest[key] = price;
      }
    }
  }
  return dearest;
}
