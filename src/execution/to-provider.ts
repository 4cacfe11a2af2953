import { Big } from 'big.js';
import { toPerMillion } from '#models/index.ts';
import type { ProviderChoice } from '#upstreams/index.ts';
import { quoteCaps, type QuotedCall } from './quote-cost.ts';
import { recallBySize } from './recall-by-size.ts';

/**
 * Whom OpenRouter may ask. The highest prices that the worst case of the call was computed with are always sent along, or
 * what the creator allows where that is less: per million tokens, exact. Undefined where nothing is known and nothing was chosen.
 */
export const toProvider = recallBySize((call: QuotedCall): ProviderChoice | undefined => {
  const { provider = {} } = call.settings;
  const { maxPrice: allowed = {} } = provider;
  const caps = quoteCaps(call);
  // Prices that hold at some hours, or for long prompts, may be above what the creator allows.
  const maxPrice =
    caps === null
      ? provider.maxPrice
      : {
          prompt: least(toPerMillion(caps.prompt), allowed.prompt),
          completion: least(toPerMillion(caps.completion), allowed.completion),
          request: least(new Big(caps.request).toFixed(), allowed.request),
        };
  const choice: ProviderChoice = { ...provider, maxPrice };
  return Object.values(choice).some((value) => value !== undefined) ? choice : undefined;
});

function least(cap: string, allowed: string | undefined): string {
  return allowed !== undefined && new Big(allowed).lt(cap) ? allowed : cap;
}
