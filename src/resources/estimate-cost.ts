import { Big } from 'big.js';
import { z } from 'zod';
import { toLowestSafePrice, toSuggestedPrice } from './check-margin.ts';
import { checkOffers } from './check-offers.ts';
import { toLowestPrice } from './lowest-price.ts';
import { quoteOf } from './quote-version.ts';
import type { Parameter } from './parameter.ts';
import { listPricedCases } from './priced-cases.ts';
import { priceOffers, type Priced } from './price-offers.ts';
import type { CostQuote, PublishedVersion, ResourceKind } from './resource-kind.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import type { ResourceRow } from './tables.ts';
import { toInputExample } from './to-input-schema.ts';

/** What one call brings and costs, for its creator. One USDC is taken as one dollar. */
export const costEstimate = z.object({
  priceUsdc: z.string().describe('The lowest of the offers; with a price formula, for the example input'),
  typicalCostUsd: z.string().nullable().describe('null: nobody knows'),
  worstCostUsd: z.string().nullable(),
  lowestPriceUsdc: z
    .string()
    .nullable()
    .describe('The lowest price that covers the worst case, with what buying the credit costs on top'),
  suggestedPriceUsdc: z
    .string()
    .nullable()
    .describe(
      'With a margin: a quarter above the lowest price, or twice the typical cost where that is more, rounded up to two significant digits',
    ),
  typicalMarginUsd: z.string().nullable(),
  worstMarginUsd: z.string().nullable().describe('Of the inputs where it is smallest'),
  basis: z.string().describe('Which token counts and prices were assumed, or why nothing is known'),
});

type CostEstimate = z.input<typeof costEstimate>;

/** What is known of it before there is a price. */
export const callCost = costEstimate.omit({ priceUsdc: true, typicalMarginUsd: true, worstMarginUsd: true });
type CallCost = z.input<typeof callCost>;

interface Sold extends Priced {
  kind: string;
  config: unknown;
  parameters: Parameter[];
  ownerId: string;
}

const NOT_KNOWN = 'What a call costs is not known before it.';

/** Of what buyers get now. Null where the kind has no cost, or cannot read the config any more. */
export function estimateVersion(deps: ResourcesDeps, version: PublishedVersion): Promise<CostEstimate | null> {
  return estimate(deps, version);
}

/** Of a draft that can run, whatever its price; null where its kind has no cost. */
export async function estimateCall(deps: ResourcesDeps, version: PublishedVersion): Promise<CallCost | null> {
  const kind = deps.kinds.find(({ name }) => name === version.kind);
  return kind?.quoteCost ? toCallCost(await quoteOf(kind, version)) : null;
}

function toCallCost(quote: CostQuote | null): CallCost {
  return {
    typicalCostUsd: quote?.typicalUsd ?? null,
    worstCostUsd: quote?.worstUsd ?? null,
    lowestPriceUsdc: quote && toLowestSafePrice(quote),
    suggestedPriceUsdc: quote && toSuggestedPrice(quote),
    basis: quote?.basis ?? NOT_KNOWN,
  };
}

/** Of the draft; null too while its price cannot be read. */
export async function estimateDraft(deps: ResourcesDeps, row: ResourceRow): Promise<CostEstimate | null> {
  const { kind, draft, owner_id: ownerId } = row;
  const offered = checkOffers(deps, draft);
  const { config, parameters } = draft;
  const formula = draft.priceFormula ? { priceFormula: draft.priceFormula } : {};
  const sold = { kind, config, parameters, ownerId, ...formula };
  return 'fields' in offered ? null : estimate(deps, { ...sold, offers: offered.offers });
}

async function estimate(deps: ResourcesDeps, sold: Sold): Promise<CostEstimate | null> {
  const kind = deps.kinds.find((candidate) => candidate.name === sold.kind);
  const parsed = kind?.configSchema.safeParse(sold.config);
  if (!kind?.quoteCost || !parsed?.success) {
    return null;
  }
  const quote = await quoteOf(kind, { ...sold, config: parsed.data });
  const priceUsdc = toLowestPrice(priceOffers(sold, toInputExample(sold.parameters)));
  return {
    ...toCallCost(quote),
    priceUsdc,
    typicalMarginUsd: quote && new Big(priceUsdc).minus(quote.typicalUsd).toFixed(),
    worstMarginUsd: await findWorstMargin(kind, { ...sold, config: parsed.data }),
  };
}

async function findWorstMargin(kind: ResourceKind, sold: Sold): Promise<string | null> {
  const margins = (await listPricedCases(kind, sold)).map(
    ({ offers, quote }) => quote && new Big(toLowestPrice(offers)).minus(quote.worstUsd),
  );
  const known = margins.filter((margin) => margin !== null).toSorted((one, other) => one.cmp(other));
  return known.length < margins.length ? null : (known[0]?.toFixed() ?? null);
}
