import { Big } from 'big.js';
import { pickPrices, type Prices, type Pricing } from '#models/index.ts';
import type { ChatSettings } from './chat-settings.ts';
import type { KnownModel } from './execution-deps.ts';
import { isTag, isWithin, mayAnswer, narrows, type ProviderSettings } from './provider-settings.ts';

/** What a creator sets that providers may take or leave. */
export type AskedSettings = Pick<ChatSettings, 'provider'> & Partial<ChatSettings>;

const wireNames = {
  temperature: 'temperature',
  topP: 'top_p',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  reasoning: 'reasoning',
  webSearch: 'tools',
} as const;

/** By which JSON is asked for: the first that the model knows. */
const formats = ['structured_outputs', 'response_format'] as const;

function listNeeded({ supportedParameters }: KnownModel, settings: AskedSettings): string[] {
  const format = settings.outputSchema && formats.find((one) => supportedParameters.includes(one));
  return [
    ...Object.entries(wireNames).flatMap(([field, name]) =>
      settings[field as keyof typeof wireNames] === undefined ? [] : [name],
    ),
    ...(format === undefined ? [] : [format]),
  ];
}

/** A request with a format of its answer is sent to those alone that take all of it. */
function toChoice({ supportedParameters }: KnownModel, settings: AskedSettings): ProviderSettings {
  const { provider = {}, outputSchema } = settings;
  const hasFormat = outputSchema !== undefined && formats.some((one) => supportedParameters.includes(one));
  return hasFormat ? { ...provider, requireParameters: true } : provider;
}

/**
 * The prices at which a model may answer: of every provider that the creator's settings leave, and the list price of the
 * catalogue, which is newer than they may be, unless the settings choose among them. Empty: none may answer.
 */
export function listPricings(model: KnownModel, settings: AskedSettings): Pricing[] {
  const { pricing, endpoints } = model;
  const { provider = {} } = settings;
  if (!endpoints || endpoints.length === 0) {
    return isWithin(pricing, provider) ? [pricing] : [];
  }
  const [choice, needed] = [toChoice(model, settings), listNeeded(model, settings)];
  const allowed = endpoints.filter((one) => mayAnswer(one, choice, needed)).map((one) => one.pricing);
  return narrows(provider) ? allowed : [pricing, ...allowed];
}

/** Those of the provider that most calls fall to: the first of the order, the cheapest of a choice, else the list price. */
export function findUsualPricing(model: KnownModel, settings: AskedSettings): Pricing | null {
  const { provider = {} } = settings;
  const { endpoints } = model;
  const [choice, needed] = [toChoice(model, settings), listNeeded(model, settings)];
  const first = provider.order
    ?.map((name) => endpoints?.find((one) => isTag(one.tag, name) && mayAnswer(one, choice, needed)))
    .find((one) => one !== undefined);
  if (first) {
    return first.pricing;
  }
  const pricings = listPricings(model, settings);
  const sum = ({ prompt, completion }: Pricing): Big => new Big(prompt).plus(completion);
  return narrows(provider) ? (pricings.toSorted((one, other) => sum(one).cmp(sum(other)))[0] ?? null) : model.pricing;
}

/** Per unit, in USD. */
export interface PriceCaps {
  prompt: string;
  completion: string;
  request: string;
}

interface Reached {
  pricing: Pricing;
  promptTokens: number;
}

/**
 * The dearest that any of these charges for a prompt of its length at any hour. Sent along as `provider.max_price`, so that
 * no provider answers that is dearer; null where a price is not known.
 */
export function toCaps(reached: readonly Reached[]): PriceCaps | null {
  const prices = reached.map(({ pricing, promptTokens }) => pickPrices(pricing, promptTokens, 'worst'));
  const dearest = (key: keyof Prices): string =>
    prices.reduce((most, one) => (new Big(one[key] ?? 0).gt(most) ? (one[key] ?? '0') : most), '0');
  const isUnknown = prices.some(({ prompt, completion, request }) => [prompt, completion, request].includes('-1'));
  return prices.length === 0 || isUnknown
    ? null
    : { prompt: dearest('prompt'), completion: dearest('completion'), request: dearest('request') };
}

/** What writing the prompt into a provider's cache costs where that is dearer than reading it: nobody is asked before. */
export function withCacheWrites(pricing: Pricing): Pricing {
  const raise = <Tier extends Prices>(tier: Tier): Tier => {
    const { prompt, input_cache_write: write } = tier;
    return write !== undefined && prompt !== undefined && new Big(write).gt(prompt) ? { ...tier, prompt: write } : tier;
  };
  const { overrides } = pricing;
  return { ...raise(pricing), ...(overrides ? { overrides: overrides.map(raise) } : {}) };
}
