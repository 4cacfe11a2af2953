import { Big } from 'big.js';

type Pricing = Record<string, unknown>;

export interface TokenCounts {
  prompt: number;
  /** Everything that was written, reasoning and image tokens included. */
  completion: number;
  image: number;
  /** Parts of `prompt` that are priced otherwise. */
  cached?: number;
  cacheWrite?: number;
  promptAudio?: number;
  promptImage?: number;
  /** Pictures of the prompt, for models that charge each. */
  pictures?: number;
  /** Parts of `completion`. */
  reasoning?: number;
  /** Spoken ones. */
  audio?: number;
}

/** USD; `total` is exactly `prompt + completion`. The fee per request is part of `prompt`. */
export interface Cost {
  prompt: Big;
  completion: Big;
  total: Big;
}

const CHEAPEST_PICTURE_USD = '0.0005';

export const freeOfCharge: Cost = { prompt: new Big(0), completion: new Big(0), total: new Big(0) };

export function priceCall(pricing: Pricing, tokens: TokenCounts, at: Date): Cost {
  const rates = { ...pricing, ...findOverride(pricing, tokens.prompt, at) };
  const { cached = 0, cacheWrite = 0, reasoning = 0, audio = 0, pictures = 0 } = tokens;
  // What a cache holds is billed as such, whatever it is.
  const fresh = tokens.prompt - cached - cacheWrite;
  const promptAudio = Math.min(tokens.promptAudio ?? 0, fresh);
  const promptImage = Math.min(tokens.promptImage ?? 0, fresh - promptAudio);
  const image = toImageRates(rates);
  const prompt = rate(rates, 'prompt')
    .times(fresh - promptAudio - promptImage)
    .plus(rate(rates, 'input_cache_read', 'prompt').times(cached))
    .plus(rate(rates, 'input_cache_write', 'prompt').times(cacheWrite))
    .plus(rate(rates, 'audio', 'prompt').times(promptAudio))
    .plus(image.perToken.times(promptImage))
    .plus(image.perPicture.times(pictures))
    .plus(rate(rates, 'request'));
  const completion = rate(rates, 'completion')
    .times(tokens.completion - tokens.image - reasoning - audio)
    .plus(reasoningRate(rates).times(reasoning))
    .plus(rate(rates, 'image_output', 'completion').times(tokens.image))
    .plus(rate(rates, 'audio_output', 'completion').times(audio));
  return { prompt, completion, total: prompt.plus(completion) };
}

/** "0" stands in many entries and means that thinking is billed like the rest of the completion. */
function reasoningRate(rates: Pricing): Big {
  const own = rate(rates, 'internal_reasoning', 'completion');
  return own.eq(0) ? rate(rates, 'completion') : own;
}

/** `image` is the price of a picture or of one of its tokens: no token costs as much, no picture as little. */
function toImageRates(rates: Pricing): { perToken: Big; perPicture: Big } {
  const image = rate(rates, 'image');
  const isWhole = image.gte(CHEAPEST_PICTURE_USD);
  const key = 'image_token' in rates ? 'image_token' : isWhole || image.eq(0) ? 'prompt' : 'image';
  return { perToken: rate(rates, key, 'prompt'), perPicture: isWhole ? image : new Big(0) };
}

/** Decimal -> JSON number; exact, because prices times tokens stay within 15 significant digits. */
export function toUsd(amount: Big): number {
  return Number(amount.toFixed());
}

/** The value that a price key has per unit, or that of `otherwise` where it has none. Unknown ("-1") prices cost nothing. */
function rate(pricing: Pricing, key: string, otherwise?: string): Big {
  const value = key in pricing || otherwise === undefined ? pricing[key] : pricing[otherwise];
  return typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? new Big(value) : new Big(0);
}

/** The most demanding tier that applies: the prompt must be strictly longer, and the UTC window must be open. */
function findOverride(pricing: Pricing, promptTokens: number, at: Date): Pricing {
  const overrides = Array.isArray(pricing['overrides']) ? (pricing['overrides'] as Pricing[]) : [];
  const matching = overrides
    .filter((tier) => promptTokens > threshold(tier) && isWithinWindow(tier, at))
    .sort((a, b) => threshold(b) - threshold(a));
  return matching[0] ?? {};
}

function threshold(tier: Pricing): number {
  return typeof tier['min_prompt_tokens'] === 'number' ? tier['min_prompt_tokens'] : -1;
}

function isWithinWindow(tier: Pricing, at: Date): boolean {
  const { utc_start: start, utc_end: end } = tier;
  if (typeof start !== 'number' || typeof end !== 'number') {
    return true;
  }
  const now = at.getUTCHours() * 100 + at.getUTCMinutes();
  return start <= end ? now >= start && now < end : now >= start || now < end;
}
