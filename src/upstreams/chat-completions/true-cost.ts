import { Big } from 'big.js';
import { z } from 'zod';
import { toDecimalText } from './parse-json.ts';

const amount = z.string().nullish().catch(null);
const flag = z.boolean().nullish().catch(null);

/** Members whose numbers are kept as the text that they had on the wire. */
export const costKeys: readonly string[] = ['cost', 'upstream_inference_cost'];

/** What of `usage` tells a cost. A member of another type counts as absent. */
export const usageCost = {
  cost: amount,
  is_byok: flag,
  cost_details: z.object({ upstream_inference_cost: amount }).nullish().catch(null),
};

interface ToldCost {
  cost: string | null | undefined;
  isByok: boolean | null | undefined;
  /** What the provider itself charges. */
  upstreamCost: string | null | undefined;
}

/**
 * What a run truly costs whose account it is. Where a provider is asked with the account's own key, `cost` is the fee alone and
 * the provider charges beside it: without both, nobody knows the cost.
 * @source https://openrouter.ai/docs/use-cases/byok
 */
export function toTrueCost({ cost, isByok, upstreamCost }: ToldCost): string | null {
  const charged = toDecimalText(cost);
  if (isByok !== true) {
    return charged;
  }
  const provider = toDecimalText(upstreamCost);
  return charged === null || provider === null ? null : new Big(charged).plus(provider).toFixed();
}

export function toUsageCost(usage: z.output<z.ZodObject<typeof usageCost>> | null | undefined): string | null {
  return toTrueCost({
    cost: usage?.cost,
    isByok: usage?.is_byok,
    upstreamCost: usage?.cost_details?.upstream_inference_cost,
  });
}
