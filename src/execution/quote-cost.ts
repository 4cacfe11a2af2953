import { Big } from 'big.js';
import { priceUsage, toPerMillion, type PricedUsage, type Pricing, type Tier } from '#models/index.ts';
import type { CostQuote, Parameter } from '#resources/index.ts';
import type { ChatSettings } from './chat-settings.ts';
import { maxTokensOf } from './check-model.ts';
import type { KnownModel } from './execution-deps.ts';
import { findUsualPricing, listPricings, toCaps, withCacheWrites, type PriceCaps } from './list-pricings.ts';
import { toTokens, type PromptSize } from './measure-prompt.ts';
import type { MediaSettings } from './media-settings.ts';
import type { UsableModel } from './named-model.ts';
import { measureSchema } from './output-contract.ts';
import { isPerPicture, pictureTokens } from './picture-tokens.ts';
import { priceExtras, type ExtraCost, type TurnNeed } from './price-extras.ts';
import { priceMediaInputs } from './price-inputs.ts';

/**
 * Of the web plugin that `:online` adds, for a request with at most ten results (https://openrouter.ai/docs/features/web-search);
 * what it finds is read as prompt. Models that search by themselves have a price of their own, for each search.
 */
const PLUGIN_SEARCH_USD = '0.007';
const FOUND_TOKENS = { typical: 2_000, worst: 10_000 };
const OWN_SEARCHES = { typical: 1, worst: 5 };
const MOST_TYPICAL_TOKENS = 1_000;
const MOST_TYPICAL_REASONING_TOKENS = 4_000;
const TEXT_BESIDE_PICTURE = 100;
/** The sentence that asks for the schema of an output, which is sent with the prompt. */
const AROUND_SCHEMA = 120;

export interface QuotedCall {
  /** In the order in which they are asked: the first is what a call typically runs on, any of them at worst. */
  models: readonly UsableModel[];
  settings: Pick<ChatSettings, 'maxTokens' | 'imageConfig' | 'outputSchema' | 'pdfEngine' | 'provider' | 'webSearch'> &
    Pick<MediaSettings, 'audio'>;
  prompt: PromptSize;
  /** Those among the parameters that are files are priced by what they may be at most. */
  inputs?: readonly Parameter[];
  /** What buying the credit costs on top, in percent. */
  feePercent?: string | undefined;
}

/** What a call costs by the catalogue's prices, in USD; null where one of its models has no price that is known before it. */
export function quoteCost(call: QuotedCall): CostQuote | null {
  const { models, settings, prompt, inputs = [], feePercent } = call;
  const [first] = models;
  const caps = quoteCaps(call);
  if (!first || caps === null) {
    return null;
  }
  const assumed = { settings, prompt, inputs };
  const usual = findUsualPricing(first.model, settings);
  const typicalUsd = usual && quoteModel(first, usual, { ...assumed, tier: 'usual' });
  const worst = models.flatMap((model) =>
    listPricings(model.model, settings).map((pricing) =>
      quoteModel(model, raise(pricing, caps), { ...assumed, tier: 'worst' }),
    ),
  );
  if (typicalUsd === null) {
    return null;
  }
  const known = worst.filter((usd) => usd !== null);
  const [dearest] = known.toSorted((one, other) => new Big(other).cmp(one));
  if (dearest === undefined || known.length < worst.length) {
    return null;
  }
  // A tier may be dearer for a short prompt than for a long one.
  const worstUsd = new Big(dearest).lt(typicalUsd) ? typicalUsd : dearest;
  const [typical, most] = [
    estimate(first, { ...assumed, tier: 'usual' }),
    estimate(first, { ...assumed, tier: 'worst' }),
  ];
  return {
    typicalUsd,
    worstUsd,
    basis: describe(call, { first, caps }),
    tokens: {
      typicalInput: typical.promptTokens,
      worstInput: most.promptTokens,
      maxOutput: most.writtenTokens,
      typicalOutput: typical.writtenTokens,
    },
    ...(feePercent === undefined ? {} : { feePercent }),
  };
}

/**
 * The highest prices at which any of the models may be served: what no provider may exceed, because it is sent along. Null
 * where a price is not known, or nobody may answer for one of the models.
 */
export function quoteCaps({ models, settings, prompt, inputs = [] }: Omit<QuotedCall, 'feePercent'>): PriceCaps | null {
  const reached = models.map((named) => {
    const { promptTokens } = estimate(named, { settings, prompt, inputs, tier: 'worst' });
    return listPricings(named.model, settings).map((pricing) => ({ pricing, promptTokens }));
  });
  const isUnknown =
    models.some(({ preset, isDeclared }) => preset !== null && !isDeclared) ||
    reached.some((pricings) => pricings.length === 0);
  return isUnknown ? null : toCaps(reached.flat());
}

/** Another provider that may answer, also one that is not known yet, may charge as much. */
function raise(pricing: Pricing, caps: PriceCaps): Pricing {
  const { prompt, completion, request = '0', ...rest } = withCacheWrites(pricing);
  const dearer = (one: string, other: string): string => (new Big(one).gt(other) ? one : other);
  return {
    ...rest,
    prompt: dearer(prompt, caps.prompt),
    completion: dearer(completion, caps.completion),
    request: dearer(request, caps.request),
  };
}

interface Assumed extends Required<Pick<QuotedCall, 'settings' | 'prompt' | 'inputs'>> {
  tier: Tier;
}

function quoteModel(named: UsableModel, prices: Pricing, assumed: Assumed): string | null {
  const isUnpriced = hasNoPicturePrice(named.model) || (isSpoken(assumed) && findSoundPrice(named, prices) === null);
  if ((named.preset !== null && !named.isDeclared) || isUnpriced) {
    return null;
  }
  const { tier } = assumed;
  // What a provider's own list leaves out costs what the catalogue says.
  const files = priceFiles({ model: { ...named.model, pricing: { ...named.model.pricing, ...prices } } }, assumed);
  const turn = quoteTurn(named, prices, { ...assumed, need: estimate(named, assumed) });
  const extras = quoteExtras(named, prices, assumed);
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

function isSpoken({ settings }: Pick<Assumed, 'settings'>): boolean {
  return settings.audio !== undefined;
}

/** A provider's own list may leave it out. */
function findSoundPrice({ model }: UsableModel, { audio_output: price }: Pricing): string | null {
  return price ?? model.pricing.audio_output ?? null;
}

function priceFiles({ model }: Pick<UsableModel, 'model'>, { inputs, settings }: Pick<Assumed, 'inputs' | 'settings'>) {
  const { pdfEngine, webSearch } = settings;
  // After each search the model is asked again with all that it was sent.
  const readings = webSearch === undefined ? { typical: 1, worst: 1 } : { typical: 2, worst: 1 + webSearch.maxUses };
  return priceMediaInputs({ model, parameters: inputs, pdfEngine, readings });
}

/** One request and its answer. */
function quoteTurn(
  named: UsableModel,
  prices: Pricing,
  { need, tier, settings }: Pick<Assumed, 'settings' | 'tier'> & { need: TurnNeed },
): string | null {
  const sound = isSpoken({ settings }) ? { audio_output: findSoundPrice(named, prices) ?? prices.completion } : {};
  const pricing = { ...withSearchPrice(prices, named.routing.includes('online')), ...sound };
  const { model } = named;
  const perPicture = toPicturePrice(model, prices);
  const usage: PricedUsage = {
    promptTokens: need.promptTokens,
    completionTokens: need.writtenTokens + (perPicture === null ? need.imageTokens : 0),
    reasoningTokens: tier === 'worst' && isReasoning(model) ? dearerReasoning(pricing, need.writtenTokens) : 0,
    imageOutputTokens: perPicture === null ? need.imageTokens : 0,
    audioOutputTokens: isSpoken({ settings }) ? need.writtenTokens : 0,
    webSearches: need.webSearches,
  };
  const usd = priceUsage(pricing, usage, tier);
  return usd === null ? null : new Big(usd).plus(perPicture ?? 0).toFixed();
}

/** What the settings cause beside the first turn. */
function quoteExtras(named: UsableModel, prices: Pricing, assumed: Omit<Assumed, 'tier'>): ExtraCost | null {
  const [usual, worst] = (['usual', 'worst'] as const).map((tier) => estimate(named, { ...assumed, tier }));
  return usual === undefined || worst === undefined
    ? null
    : priceExtras({
        settings: assumed.settings,
        need: { usual, worst },
        contextLength: named.model.contextLength,
        price: (need, tier) => quoteTurn(named, prices, { ...assumed, need, tier }),
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
  const schema = settings.outputSchema === undefined ? 0 : measureSchema(settings.outputSchema) + AROUND_SCHEMA;
  const asked =
    tier === 'usual'
      ? prompt.typicalTokens + files.typicalTokens + toTokens(schema)
      : prompt.worstTokens + files.worstTokens + schema;
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

function toPicturePrice(model: KnownModel, { image_output: price }: Pricing): string | null {
  return makesPictures(model) && price !== undefined && isPerPicture(price) ? price : null;
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

function describe(call: QuotedCall, { first, caps }: { first: UsableModel; caps: PriceCaps }): string {
  const { models } = call;
  const assumed = { ...call, inputs: call.inputs ?? [] };
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
  const extras = quoteExtras(first, first.model.pricing, assumed)?.basis ?? '';
  const source = first.isDeclared ? 'the prices that you declared' : "the catalogue's list prices";
  return [
    `${first.isDeclared ? first.written : model.openrouterId} at ${source}: ${counts}; four characters a token typically, one byte at worst.`,
    `At worst for ${toPerMillion(caps.prompt)} and ${toPerMillion(caps.completion)} USD per million tokens of prompt and answer: no dearer provider may answer.`,
    ...(files === '' ? [] : [`Among the prompt tokens: ${files}.`]),
    ...(extras === '' ? [] : [`Beside that: ${extras}.`]),
    ...(models.length > 1 ? ['The worst case is the dearest of the models that stand in for each other.'] : []),
    ...(routing.includes('online') ? ['A model that searches by itself may search more often.'] : []),
    ...(model.oddSince === null || !model.oddFields.some(({ field }) => field.startsWith('pricing'))
      ? []
      : [`The catalogue's prices cannot be read since ${model.oddSince}; these are the last good ones.`]),
  ].join(' ');
}
