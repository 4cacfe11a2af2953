import { Big } from 'big.js';
import type { ProviderChoice } from '#upstreams/index.ts';
import { quoteCaps, type QuotedCall } from './quote-cost.ts';

/**
 * Whom OpenRouter may ask. The highest prices that the worst case of the call was computed with are always sent along: per
 * million tokens, exact. Undefined where nothing is known and nothing was chosen.
 */
export function toProvider(call: Omit<QuotedCall, 'feePercent'>): ProviderChoice | undefined {
  const { provider = {} } = call.settings;
  const caps = quoteCaps(call);
  const perMillion = (price: string): string => new Big(price).times(1_000_000).toFixed();
  // What the creator allows has chosen the prices already.
  const maxPrice =
    caps === null
      ? provider.maxPrice
      : {
          prompt: perMillion(caps.prompt),
          completion: perMillion(caps.completion),
          request: new Big(caps.request).toFixed(),
        };
  const choice: ProviderChoice = { ...provider, maxPrice };
  return Object.values(choice).some((value) => value !== undefined) ? choice : undefined;
}
