import { Big } from 'big.js';
import { priceUsage, type PricedUsage, type Pricing, type Tier } from '#models/index.ts';
import type { CostQuote } from '#resources/index.ts';
import type { ChatSettings } from './chat-settings.ts';
import { maxTokensOf } from './check-model.ts';
import type { KnownModel } from './execution-deps.ts';
import type { PromptSize } from './measure-prompt.ts';
import type { MediaSettings } from './media-settings.ts';
import type { UsableModel } from './named-model.ts';
import { pictureTokens } from './picture-tokens.ts';

/** What a request is taken to need. */
interface Need {
  promptTokens: number;
  /** Of text, reasoning included. */
  writtenTokens: number;
  imageTokens: number;
  webSearches: number;
}

/**
 * Of the web plugin that `:online` adds, for a request with at most ten results (https://openrouter.ai/docs/features/web-search);
 * what it finds is read as prompt. Models that search by themselves have a price of their own, for each search.
 */
const PLUGIN_SEARCH_USD = '0.007';
const FOUND_TOKENS = { typical: 2_000, worst: 10_000 };
const OWN_SEARCHES = { typical: 1, worst: 5 };
/** The catalogue gives the price of a picture or of its tokens under one name: no token costs as much, no picture as little. */
const CHEAPEST_PICTURE_USD = '0.001';
const MOST_TYPICAL_TOKENS = 1_000;
const MOST_TYPICAL_REASONING_TOKENS = 4_000;
const TEXT_BESIDE_PICTURE = 100;

interface QuotedCall {
  /** In the order in which they are asked: the first is what a call typically runs on, any of them at worst. */
  models: readonly UsableModel[];
  settings: Pick<ChatSettings, 'maxTokens' | 'imageConfig'> & Pick<MediaSettings, 'audio'>;
  prompt: PromptSize;
}

/** What a call costs by the catalogue's prices, in USD; null where one of its models has no price that is known before it. */
export function quoteCost({ models, settings, prompt }: QuotedCall): CostQuote | null {
  const [first] = models;
  const typicalUsd = first ? quoteModel(first, { settings, prompt, tier: 'usual' }) : null;
  const worst = models.map((model) => quoteModel(model, { settings, prompt, tier: 'worst' }));
  if (!first || typicalUsd === null) {
    return null;
  }
  const known = worst.filter((usd) => usd !== null);
  const [dearest] = known.toSorted((one, other) => new Big(other).cmp(one));
  if (dearest === undefined || known.length < worst.length) {
    return null;
  }
  // A tier may be dearer for a short prompt than for a long one.
  const worstUsd = new Big(dearest).lt(typicalUsd) ? typicalUsd : dearest;
  return { typicalUsd, worstUsd, basis: describe(first, { settings, prompt }, models.length) };
}

interface Assumed extends Pick<QuotedCall, 'settings' | 'prompt'> {
  tier: Tier;
}

function quoteModel(named: UsableModel, assumed: Assumed): string | null {
  const { model, preset, routing } = named;
  const isSpoken = assumed.settings.audio !== undefined;
  if (preset !== null || hasNoPicturePrice(model) || (isSpoken && model.pricing.audio_output === undefined)) {
    return null;
  }
  const need = estimate(named, assumed);
  const pricing = withSearchPrice(model.pricing, routing.includes('online'));
  const perPicture = toPicturePrice(model);
  const usage: PricedUsage = {
    promptTokens: need.promptTokens,
    completionTokens: need.writtenTokens + (perPicture === null ? need.imageTokens : 0),
    reasoningTokens: assumed.tier === 'worst' && isReasoning(model) ? dearerReasoning(pricing, need.writtenTokens) : 0,
    imageOutputTokens: perPicture === null ? need.imageTokens : 0,
    audioOutputTokens: isSpoken ? need.writtenTokens : 0,
    webSearches: need.webSearches,
  };
  const usd = priceUsage(pricing, usage, assumed.tier);
  return usd === null ? null : new Big(usd).plus(perPicture ?? 0).toFixed();
}

function estimate({ model, routing }: UsableModel, { settings, prompt, tier }: Assumed): Need {
  const at = tier === 'usual' ? 'typical' : 'worst';
  const isOnline = routing.includes('online');
  const searchesByItself = isOnline && model.pricing.web_search !== undefined;
  const most = Math.min(settings.maxTokens, maxTokensOf(model));
  const asked = tier === 'usual' ? prompt.typicalTokens : prompt.worstTokens;
  const read = asked + (isOnline ? FOUND_TOKENS[at] : 0);
  const picture = pictureTokens(settings.imageConfig?.imageSize);
  return {
    promptTokens: model.contextLength === null ? read : Math.min(read, model.contextLength),
    writtenTokens: tier === 'usual' ? toTypicalTokens(model, most) : writesText(model) ? most : 0,
    imageTokens: makesPictures(model) ? picture[at] : 0,
    webSearches: searchesByItself ? OWN_SEARCHES[at] : Number(isOnline),
  };
}

/** Half of what the creator allows, within what answers usually are. */
function toTypicalTokens(model: KnownModel, most: number): number {
  if (!writesText(model)) {
    return 0;
  }
  const usual = isReasoning(model) ? MOST_TYPICAL_REASONING_TOKENS : MOST_TYPICAL_TOKENS;
  return makesPictures(model) ? Math.min(most, TEXT_BESIDE_PICTURE) : Math.min(Math.ceil(most / 2), usual);
}

function withSearchPrice(pricing: Pricing, isOnline: boolean): Pricing {
  return isOnline && pricing.web_search === undefined ? { ...pricing, web_search: PLUGIN_SEARCH_USD } : pricing;
}

/** At worst everything is thought, where thinking is dearer than writing. */
function dearerReasoning({ internal_reasoning: reasoning, completion }: Pricing, tokens: number): number {
  return reasoning !== undefined && new Big(reasoning).gt(completion) ? tokens : 0;
}

function toPicturePrice(model: KnownModel): string | null {
  const { image_output: price } = model.pricing;
  return makesPictures(model) && price !== undefined && new Big(price).gte(CHEAPEST_PICTURE_USD) ? price : null;
}

/** A model that makes pictures for nothing is one whose price stands elsewhere, unless it is called free. */
function hasNoPicturePrice(model: KnownModel): boolean {
  const { image_output: picture, completion, request } = model.pricing;
  const isNothing = [picture, completion, request].every((price) => price === undefined || price === '0');
  return makesPictures(model) && isNothing && !model.openrouterId.endsWith(':free');
}

function makesPictures({ outputModalities }: KnownModel): boolean {
  return outputModalities.includes('image');
}

function writesText({ outputModalities }: KnownModel): boolean {
  return outputModalities.includes('text');
}

function isReasoning({ supportedParameters }: KnownModel): boolean {
  return supportedParameters.includes('reasoning');
}

function describe(first: UsableModel, assumed: Omit<Assumed, 'tier'>, count: number): string {
  const [typical, worst] = [
    estimate(first, { ...assumed, tier: 'usual' }),
    estimate(first, { ...assumed, tier: 'worst' }),
  ];
  const { model, routing } = first;
  const line = (name: string, [usual, most]: [number, number]): string[] =>
    most === 0 ? [] : [`${usual} to ${most} ${name}`];
  const counts = [
    ...line('prompt tokens', [typical.promptTokens, worst.promptTokens]),
    ...line('completion tokens', [typical.writtenTokens, worst.writtenTokens]),
    ...line('tokens of one picture', [typical.imageTokens, worst.imageTokens]),
    ...line('web searches', [typical.webSearches, worst.webSearches]),
  ].join(', ');
  return [
    `${model.openrouterId} at the catalogue's list prices: ${counts}; four characters a token typically, one byte at worst.`,
    ...(count > 1 ? ['The worst case is the dearest of the models that stand in for each other.'] : []),
    ...(routing.some((suffix) => suffix === 'nitro' || suffix === 'exacto')
      ? ['The provider that the suffix prefers may charge more than the list price; how much is not known.']
      : []),
    ...(routing.includes('online') ? ['A model that searches by itself may search more often.'] : []),
    ...(model.oddSince === null || !model.oddFields.some(({ field }) => field.startsWith('pricing'))
      ? []
      : [`The catalogue's prices cannot be read since ${model.oddSince}; these are the last good ones.`]),
  ].join(' ');
}
