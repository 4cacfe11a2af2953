import { Big } from 'big.js';
import { z } from 'zod';
import { Problem } from '#kit/index.ts';

/** What a creator allows several runs to cost at worst. */
export const maxCostUsd = z
  .string()
  .regex(/^\d{1,4}(\.\d{1,18})?$/, 'must be a decimal such as "0.50"')
  .nullable()
  .default('1')
  .describe('Nothing is run where the worst case of all runs together is above it, or not known; null: no bound.');

interface Asked {
  /** Of each run that is to be made; null where nobody knows. */
  worstUsd: readonly (string | null)[];
  maxCostUsd: string | null;
}

/** @returns the sum, null where a part of it is not known. Throws `unprocessable` where it is not allowed. */
export function assertAffordable({ worstUsd, maxCostUsd: most }: Asked): string | null {
  const known = worstUsd.filter((usd) => usd !== null);
  const sum = known.reduce((total, usd) => total.plus(usd), new Big(0)).toFixed();
  const isKnown = known.length === worstUsd.length;
  if (most === null || (isKnown && new Big(sum).lte(most))) {
    return isKnown ? sum : null;
  }
  const message = isKnown
    ? `must be at least ${sum}`
    : 'cannot be kept, because the cost of a run is not known before it';
  throw new Problem('unprocessable', {
    detail: isKnown
      ? `All runs together may cost ${sum} USD; you allow ${most}. Nothing was run.`
      : `What the runs cost is not known before them, so they cannot be held to ${most} USD. Nothing was run.`,
    next: isKnown
      ? 'Raise maxCostUsd, or run less at once, or lower maxTokens.'
      : 'Leave out what has no known price, or send "maxCostUsd": null to run without a bound.',
    fields: [{ path: '/maxCostUsd', message }],
  });
}
