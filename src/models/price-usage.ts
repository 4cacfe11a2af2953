import { Big } from 'big.js';
import { isUnknownPrice, type PriceOverride, type Prices, type Pricing } from './pricing.ts';

/** Totals, and the parts of them that have a price of their own; parts are inside their total, as upstreams report them. */
export interface PricedUsage {
  promptTokens: number;
  completionTokens: number;
  reasoningTokens?: number;
  imageOutputTokens?: number;
  audioOutputTokens?: number;
  /** Counted beside the tokens. */
  webSearches?: number;
}

/** `usual`: what holds at most hours; `worst`: the dearest that the prompt's length allows at any hour. */
export type Tier = 'usual' | 'worst';

interface Part {
  count: number;
  /** The first of these that has a price counts. */
  keys: readonly (keyof Prices)[];
}

/**
 * What one request costs in USD by the catalogue's prices, exact; null where they are not known before the call (routers).
 * Discounts of the provider and cached prompts are left out, so that it is not less than the bill.
 */
export function priceUsage(pricing: Pricing, usage: PricedUsage, tier: Tier): string | null {
  const prices = pickPrices(pricing, usage.promptTokens, tier);
  let total = new Big(0);
  for (const { count, keys } of listParts(usage, prices)) {
    const price = keys.map((key) => prices[key]).find((known) => known !== undefined);
    if (isUnknownPrice(price)) {
      return null;
    }
    total = total.plus(new Big(price ?? 0).times(count));
  }
  return total.toFixed();
}

function listParts(usage: PricedUsage, prices: Prices): Part[] {
  const { promptTokens, completionTokens, webSearches = 0 } = usage;
  const { reasoningTokens = 0, imageOutputTokens = 0, audioOutputTokens = 0 } = usage;
  const plainTokens = completionTokens - reasoningTokens - imageOutputTokens - audioOutputTokens;
  // Many entries say "0" for reasoning and mean that it is billed like the rest of the completion.
  const reasoning: Part['keys'] =
    prices.internal_reasoning === '0' ? ['completion'] : ['internal_reasoning', 'completion'];
  return [
    { count: promptTokens, keys: ['prompt'] },
    { count: reasoningTokens, keys: reasoning },
    { count: imageOutputTokens, keys: ['image_output', 'completion'] },
    { count: audioOutputTokens, keys: ['audio_output', 'completion'] },
    { count: Math.max(0, plainTokens), keys: ['completion'] },
    { count: webSearches, keys: ['web_search'] },
    { count: 1, keys: ['request'] },
  ];
}

/** The prices that hold for a prompt of this length; `worst`: the dearest of each at any hour. */
export function pickPrices({ overrides = [], ...base }: Pricing, promptTokens: number, tier: Tier): Prices {
  const reached = overrides.filter((override) => promptTokens > (override.min_prompt_tokens ?? -1));
  if (tier === 'usual') {
    return Object.assign({}, base, ...reached.filter(holdsAlways));
  }
  const dearest: Record<string, unknown> = { ...base };
  for (const [key, price] of reached.flatMap((override) => Object.entries(override))) {
    if (typeof price === 'string' && !isCheaper(price, dearest[key])) {
      dearest[key] = price;
    }
  }
  return dearest;
}

function holdsAlways({ utc_start: start, utc_end: end, utc_days: days }: PriceOverride): boolean {
  return start === undefined && end === undefined && days === undefined;
}

/** Nothing is cheaper than a price that is not known. */
function isCheaper(price: string, other: unknown): boolean {
  return typeof other === 'string' && !isUnknownPrice(price) && (isUnknownPrice(other) || new Big(price).lt(other));
}
