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

export const freeOfCharge: Cost = { prompt: new Big(0), completion: new Big(0), total: new Big(0) };

export function priceCall(pricing: Pricing, tokens: TokenCounts, at: Date): Cost {
  const rates = { ...pricing, ...findOverride(pricing, tokens.prompt, at) };
  const { cached = 0, cacheWrite = 0, promptAudio = 0, reasoning = 0, audio = 0 } = tokens;
  const prompt = rate(rates, 'prompt')
    .times(tokens.prompt - cached - cacheWrite - promptAudio)
    .plus(rate(rates, 'input_cache_read', 'prompt').times(cached))
    .plus(rate(rates, 'input_cache_write', 'prompt').times(cacheWrite))
    .plus(rate(rates, 'audio', 'prompt').times(promptAudio))
    .plus(rate(rates, 'request'));
  const completion = rate(rates, 'completion')
    .times(tokens.completion - tokens.image - reasoning - audio)
    .plus(rate(rates, 'internal_reasoning', 'completion').times(reasoning))
    .plus(rate(rates, 'image_output', 'completion').times(tokens.image))
    .plus(rate(rates, 'audio_output', 'completion').times(audio));
  return { prompt, completion, total: prompt.plus(completion) };
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
