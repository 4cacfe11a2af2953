import { Big } from 'big.js';
import {
  days as dayNames,
  isUnknownPrice,
  type PriceKey,
  type PriceOverride,
  type Prices,
  type Pricing,
} from './pricing.ts';

/** Totals, and the parts of them that have a price of their own. Parts are inside their total, as upstreams report them. */
export interface PricedUsage {
  promptTokens: number;
  cacheReadTokens?: number;
  cacheWriteTokens?: number;
  cacheWrite1hTokens?: number;
  audioTokens?: number;
  cachedAudioTokens?: number;
  imageTokens?: number;
  completionTokens: number;
  reasoningTokens?: number;
  imageOutputTokens?: number;
  audioOutputTokens?: number;
  /** Counted beside the tokens. */
  images?: number;
  webSearches?: number;
  requests?: number;
  /** For prices that depend on the hour; now unless told. */
  at?: Date;
}

interface Part {
  count: number;
  /** The first of these that has a price counts. */
  keys: readonly PriceKey[];
}

/**
 * What a call costs in USD, exact, or null where the catalogue does not know (routers). The provider's discount is left
 * out, so this is an upper bound; the true cost of a finished call stands in its own usage.
 */
export function priceUsage(model: { pricing: Pricing }, usage: PricedUsage): string | null {
  const prices = pickTier(model.pricing, usage);
  let total = new Big(0);
  for (const { count, keys } of listParts(usage, prices)) {
    const key = keys.find((candidate) => prices[candidate] !== undefined);
    const price = key && prices[key];
    if (price === undefined || count === 0) {
      continue;
    }
    if (isUnknownPrice(price)) {
      return null;
    }
    total = total.plus(new Big(price).times(count));
  }
  return total.toFixed();
}

function listParts(usage: PricedUsage, prices: Prices): Part[] {
  const input: Part[] = [
    { count: toCount(usage.cacheReadTokens), keys: ['input_cache_read', 'prompt'] },
    { count: toCount(usage.cacheWriteTokens), keys: ['input_cache_write', 'prompt'] },
    { count: toCount(usage.cacheWrite1hTokens), keys: ['input_cache_write_1h', 'input_cache_write', 'prompt'] },
    { count: toCount(usage.audioTokens), keys: ['audio', 'prompt'] },
    { count: toCount(usage.cachedAudioTokens), keys: ['input_audio_cache', 'audio', 'prompt'] },
    { count: toCount(usage.imageTokens), keys: ['image_token', 'prompt'] },
  ];
  // Many entries say "0" for reasoning and mean that it is billed like the rest of the completion.
  const reasoning: PriceKey[] =
    prices.internal_reasoning === '0' ? ['completion'] : ['internal_reasoning', 'completion'];
  const output: Part[] = [
    { count: toCount(usage.reasoningTokens), keys: reasoning },
    { count: toCount(usage.imageOutputTokens), keys: ['image_output', 'completion'] },
    { count: toCount(usage.audioOutputTokens), keys: ['audio_output', 'completion'] },
  ];
  return [
    ...input,
    { count: rest(usage.promptTokens, input), keys: ['prompt'] },
    ...output,
    { count: rest(usage.completionTokens, output), keys: ['completion'] },
    { count: toCount(usage.images), keys: ['image'] },
    { count: toCount(usage.webSearches), keys: ['web_search'] },
    { count: toCount(usage.requests ?? 1), keys: ['request'] },
  ];
}

function rest(total: number, parts: Part[]): number {
  return Math.max(0, toCount(total) - parts.reduce((sum, part) => sum + part.count, 0));
}

function toCount(count: number | undefined): number {
  if (count !== undefined && (!Number.isSafeInteger(count) || count < 0)) {
    throw new RangeError('A count of usage is a whole number, not negative.');
  }
  return count ?? 0;
}

function pickTier({ overrides = [], ...base }: Pricing, usage: PricedUsage): Prices {
  const at = usage.at ?? new Date();
  return Object.assign({}, base, ...overrides.filter((override) => doesApply(override, usage.promptTokens, at)));
}

function doesApply(override: PriceOverride, promptTokens: number, at: Date): boolean {
  const { min_prompt_tokens: threshold, utc_start: start, utc_end: end, utc_days: days } = override;
  if (threshold !== undefined && promptTokens <= threshold) {
    return false;
  }
  const today = dayNames[at.getUTCDay()];
  if (days && today && !days.includes(today)) {
    return false;
  }
  return isInWindow(at.getUTCHours() * 100 + at.getUTCMinutes(), start ?? 0, end ?? 2400);
}

/** Half open; a window whose start lies after its end goes over midnight. */
function isInWindow(now: number, start: number, end: number): boolean {
  return start <= end ? start <= now && now < end : start <= now || now < end;
}
