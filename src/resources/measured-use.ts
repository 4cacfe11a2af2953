import { z } from 'zod';
import { decimalText } from '#kit/index.ts';

const share = decimalText(
  'a plain decimal below 1000000 with at most 6 places, such as "20"',
  /^(0|[1-9]\d{0,5})(\.\d{1,6})?$/,
);

const usdc = decimalText(
  'USDC as a plain decimal below 1000000 with at most 18 places, such as "0.75"',
  /^(0|[1-9]\d{0,5})(\.\d{1,18})?$/,
);

/** What a call is worth by what it has truly used, never above its price. Parts that are left out count nothing. */
export const measuredUseSchema = z.strictObject({
  baseUsdc: usdc.optional().describe('For every call.'),
  marginPercent: share
    .optional()
    .describe('What its run has cost and so much on top: "20" makes 0.012 of 0.01. Add what buying credit costs you.'),
  inputUsdcPerMillion: usdc.optional().describe('For a million tokens of the prompt.'),
  outputUsdcPerMillion: usdc.optional().describe('For a million tokens of the answer.'),
  isCharged: z
    .boolean()
    .optional()
    .describe(
      'Charge this instead of the price, which is then the most. Only with payment schemes that charge by use; until then it is computed and shown to you.',
    ),
});

export type MeasuredUse = z.output<typeof measuredUseSchema>;

/** The same rule as factors of what is known of a run, so that it can be computed again where its cost is told later. */
export interface UseMeasure {
  baseUsdc: string;
  perCostUsd: string;
  perInputToken: string;
  perOutputToken: string;
  maxUsdc: string;
  isCharged: boolean;
}
