import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { formatUsdc, toBatchUrl, toPinnedSlug, toResourceUrl } from '#kit/index.ts';
import { draftSchema } from './draft.ts';
import { costEstimate } from './estimate-cost.ts';
import { sample, type Sample } from './example.ts';
import { parameterSchema } from './parameter.ts';
import { priceFormulaSchema } from './price-formula.ts';
import { priceLowest } from './price-offers.ts';
import { pauseReasons, settlementPoints, type PublishedVersion, type VersionOffer } from './resource-kind.ts';
import type { ResourcesDeps, ResourceStats } from './resources-deps.ts';
import type { ResourceRow } from './tables.ts';
import { withoutCode } from './without-code.ts';

const publicStats = z.object({
  call_count: z.number(),
  success_count_30d: z.number(),
  failure_count_30d: z.number(),
  last_called_at: z.string().nullable(),
});
const ownStats = publicStats.extend({ total_earned_usdc: z.string() });
/** A way to pay, as everybody may see it. */
export const shownOffer = z.object({
  scheme: z.string(),
  /** CAIP-2. */
  network: z.string(),
  priceUsdc: z.string(),
  payTo: z.string(),
});

const states = ['draft', 'published', 'paused', 'archived'] as const;

/** What anybody may see. An allow-list: a template, config or pause cause has no field to be in. */
export const publicResource = z.object({
  view: z.literal('public'),
  id: z.string(),
  kind: z.string(),
  creator: z.string(),
  slug: z.string(),
  url: z.string(),
  state: z.enum(states),
  version: z.number(),
  name: z.string(),
  description: z.string(),
  category: z.string(),
  tags: z.array(z.string()),
  /** Of the first offer; "0" is free. With a price formula, the most that a call costs. */
  priceUsdc: z.string(),
  /** The least that a call costs; the same where the price does not follow from the input. */
  priceFromUsdc: z.string(),
  /** What a call costs by its input, rounded up to 0.000001 USDC and at most `priceUsdc`; null: the price is fixed. */
  priceFormula: priceFormulaSchema.nullable(),
  /** In the creator's order of preference; empty when free. */
  offers: z.array(shownOffer),
  /** When the buyer's money moves. */
  settlementPoint: z.enum(settlementPoints),
  timeoutSeconds: z.number(),
  /** Its calls are answered with 202 first. */
  runsLong: z.boolean(),
  /** Many inputs in one call: where they are sent, and how many at the most; null: one input a call. */
  batch: z.object({ url: z.string(), maxInputs: z.number() }).nullable(),
  /** How long files of answers can be fetched. */
  mediaRetentionSeconds: z.number(),
  parameters: z.array(parameterSchema),
  inputSchema: z.record(z.string(), z.unknown()),
  /** JSON Schema (2020-12) of the `output` of each answer; null where none is promised. */
  outputSchema: z.record(z.string(), z.unknown()).nullable(),
  /** What the kind chooses to show, such as the model. */
  details: z.record(z.string(), z.unknown()),
  publishedAt: z.string(),
  /** What its creator keeps as examples, with the answers of its newest version that was asked; in the view of one resource. */
  samples: z.array(sample),
  stats: publicStats.nullable(),
});

/** A line of the creator's own list. */
export const resourceSummary = z.object({
  view: z.literal('summary'),
  id: z.string(),
  kind: z.string(),
  slug: z.string(),
  url: z.string(),
  state: z.enum(states),
  /** Why buyers are turned away, and what to do about it; in the view of one resource also where nothing is paused for it. */
  pauseCause: z.string().nullable(),
  /** `owner` ends by resuming only, the others by themselves when their cause is gone. */
  pausedBy: z.enum(pauseReasons).nullable(),
  /** What the creator edits; buyers notice nothing of it. */
  draft: draftSchema.pick({ name: true, priceUsdc: true }),
  /** What buyers get; null before the first publication. */
  published: z.object({ version: z.number(), name: z.string(), priceUsdc: z.string() }).nullable(),
  revision: z.number(),
  publishedRevision: z.number().nullable(),
  hasUnpublishedChanges: z.boolean(),
  createdAt: z.string(),
  updatedAt: z.string(),
  stats: ownStats.nullable(),
});

/** Everything, for the creator: the draft and what buyers get now. */
export const ownResource = resourceSummary.extend({
  view: z.literal('owner'),
  draft: draftSchema,
  published: publicResource.omit({ view: true, stats: true, samples: true }).nullable(),
  /** What a call of each costs its creator, beside its price; null where there is nothing to estimate. */
  cost: z.object({ draft: costEstimate.nullable(), published: costEstimate.nullable() }),
});

const fieldProblem = z.object({ path: z.string().describe('JSON Pointer into the draft'), message: z.string() });

/** What was found in a draft: `problems` keep it from being published, `warnings` do not. */
export const findings = z.object({ problems: z.array(fieldProblem), warnings: z.array(fieldProblem) });

/** The same with what was found in the draft. */
export const checkedResource = ownResource.extend(findings.shape);

type Summary = z.input<typeof resourceSummary>;

export async function findStats(
  { findStats: find, asSystem }: Pick<ResourcesDeps, 'findStats'> & Pick<InTransaction, 'asSystem'>,
  ids: string[],
): Promise<ReadonlyMap<string, ResourceStats>> {
  return ids.length === 0 || !find ? new Map<string, ResourceStats>() : asSystem((tx) => find(tx, ids));
}

interface Shown {
  row: ResourceRow;
  creator: string;
  stats: ResourceStats | undefined;
}

type ShownOwn = Shown & { cost: z.input<typeof ownResource>['cost'] };

export function toSummary(
  deps: ResourcesDeps,
  shown: Shown,
  version: Pick<PublishedVersion, 'version' | 'name' | 'priceAtomic'> | null,
): Summary {
  const { name, priceUsdc } = shown.row.draft;
  const published = version && {
    version: version.version,
    name: version.name,
    priceUsdc: formatUsdc(version.priceAtomic),
  };
  return { view: 'summary', ...toState(deps, shown), draft: { name, priceUsdc }, published };
}

function toState(deps: ResourcesDeps, { row, creator, stats }: Shown): Omit<Summary, 'view' | 'draft' | 'published'> {
  return {
    id: row.id,
    kind: row.kind,
    slug: row.slug,
    url: toResourceUrl(deps.publicUrl, creator, row.slug),
    state: row.state,
    pauseCause: row.pause_cause && withoutCode(row.pause_cause),
    pausedBy: row.paused_by,
    revision: row.revision,
    publishedRevision: row.published_revision,
    hasUnpublishedChanges: row.revision !== row.published_revision,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    stats: stats ?? null,
  };
}

export function toOwnResource(
  deps: ResourcesDeps,
  shown: ShownOwn,
  version: PublishedVersion | null,
): z.input<typeof ownResource> {
  const published = version && toPublicResource(deps, version);
  return { ...toState(deps, shown), view: 'owner', draft: shown.row.draft, published, cost: shown.cost };
}

function toShownSlug({ slug, version, isPinned }: PublishedVersion): string {
  return isPinned ? toPinnedSlug(slug, version) : slug;
}

export function toShownOffer({ amountAtomic, ...offer }: VersionOffer): z.input<typeof shownOffer> {
  return { ...offer, priceUsdc: formatUsdc(amountAtomic) };
}

export function toPublicResource(
  deps: ResourcesDeps,
  version: PublishedVersion,
  { stats, samples = [] }: { stats?: ResourceStats | undefined; samples?: Sample[] } = {},
): z.input<typeof publicResource> {
  const kind = deps.kinds.find((candidate) => candidate.name === version.kind);
  const url = toResourceUrl(deps.publicUrl, version.creator, toShownSlug(version));
  return {
    view: 'public',
    id: version.resourceId,
    kind: version.kind,
    creator: version.creator,
    slug: version.slug,
    url,
    state: version.state,
    version: version.version,
    name: version.name,
    description: version.description,
    category: version.category,
    tags: version.tags,
    priceUsdc: formatUsdc(version.priceAtomic),
    priceFromUsdc: formatUsdc(priceLowest(version, version.parameters)[0]?.amountAtomic ?? 0n),
    priceFormula: version.priceFormula ?? null,
    offers: version.offers.map(toShownOffer),
    settlementPoint: version.settlementPoint,
    timeoutSeconds: version.timeoutSeconds,
    runsLong: version.runsLong === true,
    batch: version.batch ? { ...version.batch, url: toBatchUrl(url) } : null,
    mediaRetentionSeconds: version.mediaRetentionSeconds,
    parameters: version.parameters,
    inputSchema: version.inputSchema,
    outputSchema: kind?.outputOf?.(version.config)?.schema ?? null,
    details: kind?.toPublic(version.config) ?? {},
    publishedAt: version.publishedAt.toISOString(),
    samples,
    stats: stats ?? null,
  };
}
