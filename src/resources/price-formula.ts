import { z } from 'zod';
import { decimalText } from '#kit/index.ts';

const MAX_TERMS = 12;

const unitPrice = decimalText(
  'USDC as a plain decimal below 1000000 with at most 18 places, such as "0.000002"',
  /^(0|[1-9]\d{0,5})(\.\d{1,18})?$/,
);

const unitTerm = z.strictObject({
  parameter: z.string().max(100),
  per: z
    .enum(['value', 'character', 'true', 'given'])
    .describe(
      'What of the parameter is counted: the value of a number, the characters of a text, 1 where a boolean is true, 1 where an optional parameter is given.',
    ),
  usdc: unitPrice,
});

const optionTerm = z.strictObject({
  parameter: z.string().max(100).describe('An enum.'),
  usdcByOption: z.record(z.string().max(200), unitPrice).describe('What each option adds.'),
});

/** What a call costs by its input: data, not a language, so that anybody can compute it and a bound of it is known. */
export const priceFormulaSchema = z.strictObject({
  baseUsdc: unitPrice.describe('What every call costs, whatever its input.'),
  terms: z
    .array(
      z.union([unitTerm, optionTerm], {
        error:
          'must be {"parameter": "…", "per": "value", "character", "true" or "given", "usdc": "0.001"}, or {"parameter": "…", "usdcByOption": {"an option": "0.001"}}',
      }),
    )
    .max(MAX_TERMS),
});

export type PriceFormula = z.output<typeof priceFormulaSchema>;
export type PriceTerm = PriceFormula['terms'][number];
