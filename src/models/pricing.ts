import { Big } from 'big.js';
import { z } from 'zod';

/** USD per unit. `-1` is the catalogue's word for "not known before the call" (routers). */
const priceKeys = [
  'prompt',
  'completion',
  'request',
  'image',
  'image_token',
  'image_output',
  'audio',
  'audio_output',
  'input_audio_cache',
  'input_cache_read',
  'input_cache_write',
  'input_cache_write_1h',
  'internal_reasoning',
  'web_search',
] as const;

type PriceKey = (typeof priceKeys)[number];
type Prices = { [key in PriceKey]?: string };

/** As the catalogue writes them. */
const days = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;

/** Applies when all its conditions hold: more prompt tokens than the threshold, inside the daily UTC window (HHMM), on one of the days. */
interface PriceOverride extends Prices {
  min_prompt_tokens?: number;
  utc_start?: number;
  utc_end?: number;
  utc_days?: (typeof days)[number][];
}

/** Decimal strings under the catalogue's own names; later overrides win per key. Keys that we do not know are kept beside these. */
export interface Pricing extends Prices {
  prompt: string;
  completion: string;
  discount?: string;
  overrides?: PriceOverride[];
}

const DECIMAL = /^-?\d{1,20}(\.\d{1,30})?([eE][+-]?\d{1,2})?$/;
const UNKNOWN = '-1';

const price = z
  .union([z.string(), z.number()])
  .transform(String)
  .pipe(z.string().regex(DECIMAL))
  .transform((text) => new Big(text).toFixed())
  .refine((text) => text === UNKNOWN || !text.startsWith('-'), 'A price is not negative');
const clockNumber = z
  .int()
  .min(0)
  .max(2400)
  .refine((time) => time % 100 < 60);
const optionalPrices = Object.fromEntries(priceKeys.map((key) => [key, price.optional()])) as {
  [key in PriceKey]: z.ZodOptional<typeof price>;
};
const override = z.object({
  ...optionalPrices,
  min_prompt_tokens: z.int().min(0).optional(),
  utc_start: clockNumber.optional(),
  utc_end: clockNumber.optional(),
  utc_days: z.array(z.enum(days)).optional(),
});
const pricing = z.looseObject({
  ...optionalPrices,
  prompt: price,
  completion: price,
  discount: price.optional(),
  overrides: z.array(override).max(20).optional(),
});

/**
 * Exact decimals in one normal form, so that equal prices are equal texts. A price that cannot be read makes the entry
 * unreadable, because leaving it out would make the model look cheaper; of unknown keys only decimals are kept.
 */
export const pricingSchema = pricing.transform((read): Pricing => {
  const entries = Object.entries(read).flatMap(([key, value]): [string, unknown][] => {
    if (key === 'overrides' || key in pricing.shape) {
      return value === undefined ? [] : [[key, value]];
    }
    const decimal = /^[a-z][a-z0-9_]{0,39}$/.test(key) ? price.safeParse(value) : undefined;
    return decimal?.success ? [[key, decimal.data]] : [];
  });
  return Object.fromEntries(entries) as unknown as Pricing;
});

export function isUnknownPrice(text: string | undefined): boolean {
  return text === UNKNOWN;
}

/** Every price of the tier and of all overrides, whatever its key. */
export function listPrices({ overrides = [], ...base }: Pricing): string[] {
  return [base, ...overrides].flatMap((tier) =>
    Object.entries(tier).flatMap(([key, value]) => (typeof value === 'string' && key !== 'discount' ? [value] : [])),
  );
}
