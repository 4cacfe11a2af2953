import { z } from 'zod';
import { formatUsdc, Problem, type FieldProblem } from '#kit/index.ts';
import {
  judgeMargin,
  listInputs,
  measureUse,
  parseInput,
  recallQuote,
  priceOffers,
  withoutCode,
  type CostQuote,
  type PublishedVersion,
  type Readiness,
  type ResourceKind,
  type VersionOffer,
} from '#resources/index.ts';
import { findTypicalLatency } from '#usage/index.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { sumQuotes } from './batches/sum-quotes.ts';
import { getTarget } from './get-target.ts';

type QuoteDeps = Pick<GatewayDeps, 'database' | 'published' | 'kinds' | 'readiness' | 'clock'>;

const count = z.int().min(0);

/** What is told before a call. */
export const quoted = z.object({
  resourceId: z.uuid(),
  version: z.int(),
  priceUsdc: z
    .string()
    .describe(
      'Of the first offer, for this input; "0" is free. Where the input does not fit, the most that one can cost',
    ),
  maxPriceUsdc: z
    .string()
    .describe('The most that any input costs; the same where the price does not follow from the input'),
  offers: z
    .array(z.object({ scheme: z.string(), network: z.string(), priceUsdc: z.string(), payTo: z.string() }))
    .describe('The ways to pay, as the 402 tells them with a fresh challenge'),
  isReady: z.boolean().describe('Would a call be answered now?'),
  retryAfterSeconds: z.int().nullable().describe('Where it is not ready and comes back by itself'),
  isValid: z
    .boolean()
    .describe(
      'Does the input fit? A call with a valid input is not refused for it, save for what its files hold: they are read only for a call',
    ),
  problems: z.array(z.object({ path: z.string(), message: z.string() })).describe('What of the input does not fit'),
  tokens: z
    .object({ typicalInput: count, worstInput: count, maxOutput: count })
    .nullable()
    .describe('Estimated, of the whole prompt with this input; null where it does not fit or nobody knows'),
  latencyMs: z.int().nullable().describe('The median of the latest answers to buyers; null where there are none'),
  cost: z
    .object({
      typicalUsd: z.string(),
      worstUsd: z.string().describe('With this input, or with any where it does not fit'),
      feePercent: z.string().describe('What buying the credit costs on top'),
      basis: z.string(),
      loss: z.string().nullable().describe('Why the version may not be sold at this cost any more'),
    })
    .nullable()
    .describe('For the owner alone; null for everybody else, and where nobody knows'),
  measured: z
    .object({ expectedUsdc: z.string().nullable(), maxUsdc: z.string(), isCharged: z.boolean() })
    .nullable()
    .describe(
      'What a call is worth by its use: typically, and at most. For the owner, and for everybody where it is what is charged; null where it is not measured',
    ),
  cause: z.string().nullable().describe('For the owner alone: why it is not ready'),
});

export type Quoted = z.input<typeof quoted>;

export interface QuoteRequest {
  resourceId: string;
  input: Record<string, unknown>;
  /** Many at once, in its place. */
  inputs?: readonly unknown[] | undefined;
  /** Costs are told to the owner alone. */
  callerUserId: string | null;
}

/** By the same steps as a call: what is valid here is not refused for its input there. Throws `not_found` and `gone`. */
export async function quoteCall(deps: QuoteDeps, asked: QuoteRequest): Promise<Quoted> {
  const { resourceId, inputs, callerUserId } = asked;
  const version = await getTarget(deps, { resourceId, ...(inputs ? { isBatch: true as const } : {}) });
  if (version.state === 'archived') {
    throw new Problem('gone', { detail: 'This resource was archived by its creator.' });
  }
  const isOwner = callerUserId === version.ownerId;
  const parsed = parseInput(version, inputs ? { inputs } : asked.input, { isText: false });
  const offers = priceOffers(version, parsed.ok ? parsed.input : undefined);
  const priced = await priceInputs(deps, version, parsed.ok ? parsed.input : null);
  const quote = sumQuotes(priced.map((one) => one.quote));
  const readiness = await askReady(deps, version);
  return {
    resourceId: version.resourceId,
    version: version.version,
    priceUsdc: formatUsdc(offers[0]?.amountAtomic ?? 0n),
    maxPriceUsdc: formatUsdc(version.priceAtomic),
    offers: offers.map(({ amountAtomic, ...offer }) => ({ ...offer, priceUsdc: formatUsdc(amountAtomic) })),
    isReady: readiness.ready,
    retryAfterSeconds: readiness.ready ? null : (readiness.retryAfterSeconds ?? null),
    isValid: parsed.ok,
    problems: parsed.ok ? [] : toInputPaths(version, parsed.fields),
    tokens: (parsed.ok && toTokens(quote)) || null,
    latencyMs: inputs ? null : await findTypicalLatency(deps.database.system, version.resourceId),
    cost: isOwner && quote ? toCost(quote, findLoss(version, priced)) : null,
    measured: toMeasured(version, { quote, offers, isOwner }),
    cause: isOwner && !readiness.ready ? readiness.cause : null,
  };
}

/** How much is typically written is an estimate of the cost alone. */
function toTokens(quote: CostQuote | null): Quoted['tokens'] {
  const { typicalInput, worstInput, maxOutput } = quote?.tokens ?? {};
  return typicalInput === undefined || worstInput === undefined || maxOutput === undefined
    ? null
    : { typicalInput, worstInput, maxOutput };
}

interface Measured {
  quote: CostQuote | null;
  offers: readonly VersionOffer[];
  isOwner: boolean;
}

function toMeasured({ useMeasure }: PublishedVersion, { quote, offers, isOwner }: Measured): Quoted['measured'] {
  const [first] = offers;
  if (!useMeasure || !first || !(isOwner || useMeasure.isCharged)) {
    return null;
  }
  const maxUsdc = formatUsdc(first.amountAtomic);
  const use = {
    costUsd: quote?.typicalUsd ?? null,
    inputTokens: quote?.tokens?.typicalInput ?? null,
    outputTokens: quote?.tokens?.typicalOutput ?? null,
  };
  return { expectedUsdc: measureUse({ ...useMeasure, maxUsdc }, use), maxUsdc, isCharged: useMeasure.isCharged };
}

function toInputPaths({ batchOf }: PublishedVersion, fields: readonly FieldProblem[]): FieldProblem[] {
  return batchOf ? [...fields] : fields.map(({ path, message }) => ({ path: `/input${path}`, message }));
}

interface PricedInput {
  offers: readonly VersionOffer[];
  quote: CostQuote | null;
}

/** Each input for itself; null: it does not fit, and any may be meant. */
async function priceInputs(
  deps: Pick<QuoteDeps, 'kinds' | 'clock'>,
  version: PublishedVersion,
  input: Record<string, unknown> | null,
): Promise<PricedInput[]> {
  const { batchOf: one = version } = version;
  const kind = deps.kinds.get(version.kind);
  if (!kind || (input === null && version.batchOf)) {
    return [];
  }
  if (input === null) {
    return [{ offers: version.offers, quote: await recallQuote({ kind, clock: deps.clock }, version) }];
  }
  const inputs = version.batchOf ? listInputs(input) : [input];
  const price = async (each: Record<string, unknown>): Promise<PricedInput> => ({
    offers: priceOffers(one, each),
    quote: await quoteInput(kind, one, each),
  });
  return Promise.all(inputs.map(price));
}

/** Why the version may not be sold at its cost any more, by the first input for which that is so. */
function findLoss({ maxLossUsd }: PublishedVersion, priced: readonly PricedInput[]): string | null {
  const judged = priced.map(({ offers, quote }) => judgeMargin({ offers: [...offers], maxLossUsd }, quote));
  const losing = judged.find(({ ready }) => !ready);
  return !losing || losing.ready ? null : withoutCode(losing.cause);
}

async function quoteInput(
  kind: ResourceKind,
  { config, parameters, ownerId }: PublishedVersion,
  input: Record<string, unknown>,
): Promise<CostQuote | null> {
  return (await kind.quoteCost?.(config, parameters, { ownerId, input })) ?? null;
}

async function askReady(deps: Pick<QuoteDeps, 'readiness'>, version: PublishedVersion): Promise<Readiness> {
  return version.state === 'published'
    ? deps.readiness.recall(version)
    : { ready: false, cause: version.pauseCause ?? 'paused' };
}

function toCost({ typicalUsd, worstUsd, feePercent = '0', basis }: CostQuote, loss: string | null): Quoted['cost'] {
  return { typicalUsd, worstUsd, feePercent, basis, loss };
}
