import { Big } from 'big.js';
import { priceUsage, type PricedUsage, type Pricing, type Tier } from '#models/index.ts';
import type { CostQuote, Parameter } from '#resources/index.ts';
import type { ChatSettings } from './chat-settings.ts';
import { maxTokensOf } from './check-model.ts';
import type { KnownModel } from './execution-deps.ts';
import type { PromptSize } from './measure-prompt.ts';
import type { UsableModel } from './named-model.ts';
import { priceExtras, type ExtraCost, type TurnNeed } from './price-extras.ts';
import { priceMediaInputs } from './price-inputs.ts';

/**
 * Of the web plugin that `:online` adds, for a request with at most ten results (https://openrouter.ai/docs/features/web-search);
 * what it finds is read as prompt. Models that search by themselves have a price of their own, for each search.
 */
const PLUGIN_SEARCH_USD = '0.007';
const FOUND_TOKENS = { typical: 2_000, worst: 10_000 };
const OWN_SEARCHES = { typical: 1, worst: 5 };
/** Tokens of one picture by the size that is asked for; makers count them differently, by quality too. */
const imageTokens: Readonly<Record<string, { typical: number; worst: number }>> = {
  '512': { typical: 400, worst: 1_300 },
  '1K': { typical: 1_290, worst: 6_300 },
  '2K': { typical: 2_600, worst: 8_400 },
  '4K': { typical: 5_200, worst: 21_000 },
};
/** The catalogue gives the price of a picture or of its tokens under one name: no token costs as much, no picture as little. */
const CHEAPEST_PICTURE_USD = '0.001';
const MOST_TYPICAL_TOKENS = 1_000;
const MOST_TYPICAL_REASONING_TOKENS = 4_000;
const TEXT_BESIDE_PICTURE = 100;
/** Of a schema, which is sent with the prompt. */
const CHARACTERS_PER_TOKEN = 4;

interface QuotedCall {
  /** In the order in which they are asked: the first is what a call typically runs on, any of them at worst. */
  models: readonly UsableModel[];
  settings: Pick<ChatSettings, 'maxTokens' | 'imageConfig' | 'outputSchema' | 'pdfEngine' | 'webSearch'>;
  prompt: PromptSize;
  /** Those among the parameters that are files are priced by what they may be at most. */
  inputs?: readonly Parameter[];
}

/** What a call costs by the catalogue's prices, in USD; null where one of its models has no price that is known before it. */
export function quoteCost({ models, settings, prompt, inputs = [] }: QuotedCall): CostQuote | null {
  const [first] = models;
  const typicalUsd = first ? quoteModel(first, { settings, prompt, inputs, tier: 'usual' }) : null;
  const worst = models.map((model) => quoteModel(model, { settings, prompt, inputs, tier: 'worst' }));
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
  return { typicalUsd, worstUsd, basis: describe(first, { settings, prompt, inputs }, models.length) };
}

interface Assumed extends Required<Pick<QuotedCall, 'settings' | 'prompt' | 'inputs'>> {
  tier: Tier;
}

function quoteModel(named: UsableModel, assumed: Assumed): string | null {
  if ((named.preset !== null && !named.isDeclared) || hasNoPicturePrice(named.model)) {
    return null;
  }
  const { tier } = assumed;
  const files = priceFiles(named, assumed);
  const turn = quoteTurn(named, estimate(named, assumed), tier);
  const extras = quoteExtras(named, assumed);
  if (files === null || turn === null || extras === null) {
    return null;
  }
  // A second turn is sent the files again.
  const filesUsd =
    tier === 'usual' ? files.typicalUsd : new Big(files.worstUsd).times(assumed.settings.outputSchema ? 2 : 1);
  return new Big(turn)
    .plus(tier === 'worst' ? extras.worstUsd : extras.typicalUsd)
    .plus(filesUsd)
    .toFixed();
}

function priceFiles({ model }: UsableModel, { inputs, settings }: Pick<Assumed, 'inputs' | 'settings'>) {
  return priceMediaInputs({ model, parameters: inputs, pdfEngine: settings.pdfEngine });
}

/** One request and its answer. */
function quoteTurn({ model, routing }: UsableModel, need: TurnNeed, tier: Tier): string | null {
  const pricing = withSearchPrice(model.pricing, routing.includes('online'));
  const perPicture = toPicturePrice(model);
  const usage: PricedUsage = {
    promptTokens: need.promptTokens,
    completionTokens: need.writtenTokens + (perPicture === null ? need.imageTokens : 0),
    reasoningTokens: tier === 'worst' && isReasoning(model) ? dearerReasoning(pricing, need.writtenTokens) : 0,
    imageOutputTokens: perPicture === null ? need.imageTokens : 0,
    webSearches: need.webSearches,
  };
  const usd = priceUsage(pricing, usage, tier);
  return usd === null ? null : new Big(usd).plus(perPicture ?? 0).toFixed();
}

/** What the settings cause beside the first turn. */
function quoteExtras(named: UsableModel, assumed: Omit<Assumed, 'tier'>): ExtraCost | null {
  const [usual, worst] = (['usual', 'worst'] as const).map((tier) => estimate(named, { ...assumed, tier }));
  return usual === undefined || worst === undefined
    ? null
    : priceExtras({
        settings: assumed.settings,
        need: { usual, worst },
        contextLength: named.model.contextLength,
        price: (need, tier) => quoteTurn(named, need, tier),
      });
}

function estimate(named: UsableModel, assumed: Assumed): TurnNeed {
  const { model, routing } = named;
  const { settings, prompt, tier } = assumed;
  const files = priceFiles(named, assumed) ?? { typicalTokens: 0, worstTokens: 0 };
  const at = tier === 'usual' ? 'typical' : 'worst';
  const isOnline = routing.includes('online');
  const searchesByItself = isOnline && model.pricing.web_search !== undefined;
  const most = Math.min(settings.maxTokens, maxTokensOf(model));
  const schema = settings.outputSchema === undefined ? 0 : Buffer.byteLength(JSON.stringify(settings.outputSchema));
  const asked =
    tier === 'usual'
      ? prompt.typicalTokens + files.typicalTokens + Math.ceil(schema / CHARACTERS_PER_TOKEN)
      : prompt.worstTokens + files.worstTokens + schema;
  const read = asked + (isOnline ? FOUND_TOKENS[at] : 0);
  const picture = imageTokens[settings.imageConfig?.imageSize ?? '1K'] ?? { typical: 0, worst: 0 };
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
  const files = priceFiles(first, assumed)?.basis ?? '';
  const line = (name: string, [usual, most]: [number, number]): string[] =>
    most === 0 ? [] : [`${usual} to ${most} ${name}`];
  const counts = [
    ...line('prompt tokens', [typical.promptTokens, worst.promptTokens]),
    ...line('completion tokens', [typical.writtenTokens, worst.writtenTokens]),
    ...line('tokens of one picture', [typical.imageTokens, worst.imageTokens]),
    ...line('web searches', [typical.webSearches, worst.webSearches]),
  ].join(', ');
  const extras = quoteExtras(first, assumed)?.basis ?? '';
  const source = first.isDeclared ? 'the prices that you declared' : "the catalogue's list prices";
  return [
    `${first.isDeclared ? first.written : model.openrouterId} at ${source}: ${counts}; four characters a token typically, one byte at worst.`,
    ...(files === '' ? [] : [`Among the prompt tokens: ${files}.`]),
    ...(extras === '' ? [] : [`Beside that: ${extras}.`]),
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
