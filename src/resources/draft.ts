import { z } from 'zod';
import { canonicalJson, decimalText, findUsdc, formatUsdc, isSlug, MAX_SLUG_LENGTH, slugPattern } from '#kit/index.ts';
import { batchSchema } from './batch-terms.ts';
import { categories } from './category.ts';
import { measuredUseSchema } from './measured-use.ts';
import { parameterSchema } from './parameter.ts';
import { priceFormulaSchema } from './price-formula.ts';
import { settlementPoints } from './resource-kind.ts';

const MAX_CONFIG_LENGTH = 200_000;
const MAX_DEPTH = 32;
const LONGEST_RUN_SECONDS = 3_600;

const slugSchema = z
  .string()
  .refine(isSlug, `Use lower-case letters, digits and single hyphens between them, at most ${MAX_SLUG_LENGTH}.`);

const NOT_STORABLE = 'This text holds characters that cannot be stored.';

const storable = z.string().refine((text) => isStorable(text), NOT_STORABLE);

const tag = z
  .string()
  .regex(slugPattern, 'Use lower-case letters, digits and single hyphens between them, such as "open-data".')
  .max(30);

/** In its shortest form, so that the same price is the same text; what is no price is left as it is, to be told. */
const price = decimalText('USDC as a plain decimal with at most 6 places, such as "0.02"')
  .refine((text) => isStorable(text), NOT_STORABLE)
  .max(40)
  .overwrite(toShortestPrice);

const lossSchema = decimalText(
  'USD as a plain decimal below 1000 with at most 6 places, such as "0.02"',
  /^(0|[1-9]\d{0,2})(\.\d{1,6})?$/,
);

/** The form of each field of a draft. What it may hold is in `checkShape`, what must hold at publishing in `checkDraft`. */
export const draftFields = {
  slug: slugSchema,
  name: storable.max(100),
  description: storable.max(2000),
  category: z.enum(categories).nullable(),
  tags: z.array(tag).max(10),
  scheme: storable.max(40).optional().describe('The payment scheme of the first offer; "exact" unless told.'),
  priceUsdc: price
    .nullable()
    .describe('What a call costs: a plain decimal in USDC with at most 6 places, such as "0.02". "0" is free.'),
  priceFormula: priceFormulaSchema
    .nullish()
    .describe(
      'What a call costs by its input: baseUsdc and, for each term, so much per unit of a parameter, rounded up to 0.000001 USDC. priceUsdc is then the most that a call costs.',
    ),
  measuredUse: measuredUseSchema
    .nullish()
    .describe(
      'What a call is worth by what it has truly used, never above its price: shown in the quote, in your test runs and in the usage log as measuredUsdc.',
    ),
  network: storable.max(100).nullable().describe('CAIP-2, one that is offered here, such as "eip155:8453" (Base).'),
  payTo: storable.max(100).nullable().describe('The address that buyers pay, as the network writes it.'),
  furtherOffers: z
    .array(
      z.strictObject({
        scheme: storable.max(40).optional(),
        network: storable.max(100),
        payTo: storable.max(100).optional(),
        priceUsdc: price.optional(),
      }),
    )
    .max(8)
    .describe(
      'Other ways to pay beside the one that priceUsdc, network and payTo make, in order of preference. What is left out is taken from that one.',
    ),
  settlementPoint: z
    .enum(settlementPoints)
    .describe(
      "When the buyer's money moves: once the answer is usable, at its first usable part, or before anything runs. The kind of resource says which it can do.",
    ),
  timeoutSeconds: z
    .int()
    .min(5)
    .max(LONGEST_RUN_SECONDS)
    .describe('How long a call may take, in seconds; beyond 600 only with `runsLong`.'),
  runsLong: z
    .boolean()
    .optional()
    .describe(
      'Its calls are answered with 202 at once and carried out behind it: their buyers read the state, wait for the answer or are called back.',
    ),
  batch: batchSchema
    .nullish()
    .describe(
      'Lets buyers send many inputs at once, {"maxInputs": 100}: one payment of what all of them cost together, one long run, one result for each.',
    ),
  mediaRetentionSeconds: z
    .int()
    .min(3_600)
    .max(31_536_000)
    .describe('How long pictures, sounds and other files of an answer can be fetched, from an hour on.'),
  acceptsLoss: z
    .strictObject({ maxLossUsdPerCall: lossSchema })
    .nullish()
    .describe(
      'Without it a price must cover the most that a call can cost you. With it one call may lose up to so many USD: {"maxLossUsdPerCall": "0.02"}.',
    ),
  parameters: z
    .array(parameterSchema)
    .max(100)
    .refine((parameters) => isStorable(parameters), 'A parameter holds characters that cannot be stored.'),
  config: z
    .record(z.string(), z.unknown())
    .refine(
      (config) => isStorable(config),
      'The configuration is nested too deeply or holds characters that cannot be stored.',
    )
    .refine((config) => canonicalJson(config).length <= MAX_CONFIG_LENGTH, 'The configuration is too large.'),
};

export const draftSchema = z.object(draftFields);

/** What the creator edits; unfinished fields are null or empty until publishing asks for them. */
export type Draft = z.output<typeof draftSchema>;

const DEFAULT_MEDIA_RETENTION_SECONDS = 604_800;

export const emptyDraft: Omit<Draft, 'slug'> = {
  name: '',
  description: '',
  category: null,
  tags: [],
  priceUsdc: null,
  network: null,
  payTo: null,
  furtherOffers: [],
  settlementPoint: 'on_success',
  timeoutSeconds: 60,
  mediaRetentionSeconds: DEFAULT_MEDIA_RETENTION_SECONDS,
  parameters: [],
  config: {},
};

function toShortestPrice(text: string): string {
  const amountAtomic = findUsdc(text);
  return amountAtomic === null ? text : formatUsdc(amountAtomic);
}

/** PostgreSQL stores neither NUL nor half a surrogate pair. */
function isStorable(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') {
    return value.isWellFormed() && !value.includes('\0');
  }
  if (typeof value !== 'object' || value === null) {
    return true;
  }
  return (
    depth < MAX_DEPTH && Object.entries(value).every(([key, item]) => isStorable(key) && isStorable(item, depth + 1))
  );
}
