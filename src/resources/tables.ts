import type { Draft } from './draft.ts';
import type { UseMeasure } from './measured-use.ts';
import type { Parameter } from './parameter.ts';
import type { PriceFormula } from './price-formula.ts';
import type { JsonSchema, PausedBy, PublishedVersion, SupersededOffers, VersionOffer } from './resource-kind.ts';
import { toInputSchema } from './to-input-schema.ts';

export type ResourceState = 'draft' | PublishedVersion['state'];

/** A row of `x402_resources`. */
export interface ResourceRow {
  id: string;
  owner_id: string;
  kind: string;
  slug: string;
  state: ResourceState;
  pause_cause: string | null;
  paused_by: PausedBy | null;
  draft: Draft;
  revision: number;
  published_revision: number | null;
  published_version_id: string | null;
  created_at: Date;
  updated_at: Date;
}

/** An offer as JSON holds it: the amount in decimal digits. */
type StoredOffer = Omit<VersionOffer, 'amountAtomic'> & { amountAtomic: string };

/** A row of `x402_resource_versions`, joined with what of its resource and creator may change afterwards. */
export interface VersionRow {
  id: string;
  resource_id: string;
  owner_id: string;
  version: number;
  kind: string;
  name: string;
  description: string;
  category: string;
  tags: string[];
  price_atomic: string;
  offers: StoredOffer[];
  price_formula: PriceFormula | null;
  use_measure: UseMeasure | null;
  settlement_point: PublishedVersion['settlementPoint'];
  max_loss_usd: string | null;
  timeout_seconds: number;
  runs_long: boolean;
  batch_max_inputs: number | null;
  media_retention_seconds: number;
  parameters: Parameter[];
  input_schema: JsonSchema;
  config: unknown;
  published_at: Date;
  creator: string;
  current_slug: string;
  state: PublishedVersion['state'];
  pause_cause: string | null;
  paused_by: PausedBy | null;
  is_pinned?: true;
  is_withdrawn?: boolean;
  superseded:
    | (Pick<PublishedVersion, 'versionId' | 'settlementPoint' | 'timeoutSeconds'> & {
        runsLong: boolean;
        batchMaxInputs: number | null;
        offers: StoredOffer[];
        priceFormula: PriceFormula | null;
        parameters: Parameter[] | null;
        publishedAt: string;
        supersededAt: string;
      })[]
    | null;
}

/** For `SELECT … FROM x402_resource_versions v JOIN x402_resources r … JOIN users u …`. */
export const versionColumns = `
  v.id, v.resource_id, v.owner_id, v.version, v.kind, v.name, v.description, v.category, v.tags, v.price_atomic,
  v.offers, v.price_formula, v.use_measure, v.settlement_point, trim_scale(v.max_loss_usd)::text AS max_loss_usd, v.timeout_seconds,
  v.runs_long, v.batch_max_inputs, v.media_retention_seconds, v.parameters, v.input_schema, v.config, v.published_at,
  u.username AS creator, r.slug AS current_slug, r.state, r.pause_cause, r.paused_by`;

/** How long the offers of a replaced version can still be paid: a buyer may have signed it just before. */
export const GRACE_MS = 120_000;

export function toPublishedVersion(row: VersionRow): PublishedVersion {
  return {
    resourceId: row.resource_id,
    versionId: row.id,
    version: row.version,
    ...(row.is_pinned ? { isPinned: true } : {}),
    ...(row.is_withdrawn && row.state !== 'archived' ? { isWithdrawn: true } : {}),
    ownerId: row.owner_id,
    creator: row.creator,
    slug: row.current_slug,
    kind: row.kind,
    name: row.name,
    description: row.description,
    category: row.category,
    tags: row.tags,
    state: row.is_withdrawn ? 'archived' : row.state,
    pauseCause: row.pause_cause,
    pausedBy: row.paused_by,
    priceAtomic: BigInt(row.price_atomic),
    offers: row.offers.map(fromStoredOffer),
    ...toFormula(row.price_formula),
    ...(row.use_measure === null ? {} : { useMeasure: row.use_measure }),
    settlementPoint: row.settlement_point,
    maxLossUsd: row.max_loss_usd,
    timeoutSeconds: row.timeout_seconds,
    ...(row.runs_long ? { runsLong: true } : {}),
    ...toBatchTerms(row.batch_max_inputs),
    mediaRetentionSeconds: row.media_retention_seconds,
    parameters: row.parameters,
    inputSchema: row.input_schema,
    config: row.config,
    publishedAt: row.published_at,
    superseded: (row.superseded ?? []).map(
      ({ publishedAt, supersededAt, offers, runsLong, batchMaxInputs, priceFormula, parameters, ...replaced }) => ({
        ...replaced,
        ...(runsLong ? { runsLong } : {}),
        ...toBatchTerms(batchMaxInputs),
        offers: offers.map(fromStoredOffer),
        ...toFormula(priceFormula),
        ...toPriced(priceFormula, parameters),
        publishedAt: new Date(publishedAt),
        until: new Date(Date.parse(supersededAt) + GRACE_MS),
      }),
    ),
  };
}

function toFormula(priceFormula: PriceFormula | null): Pick<PublishedVersion, 'priceFormula'> {
  return priceFormula === null ? {} : { priceFormula };
}

function toBatchTerms(maxInputs: number | null): Pick<PublishedVersion, 'batch'> {
  return maxInputs === null ? {} : { batch: { maxInputs } };
}

function toPriced(priceFormula: PriceFormula | null, parameters: Parameter[] | null): Pick<SupersededOffers, 'priced'> {
  if (priceFormula === null) {
    return {};
  }
  const names = new Set(priceFormula.terms.map(({ parameter }) => parameter));
  const counted = (parameters ?? []).filter(({ name }) => names.has(name));
  const inputSchema = toInputSchema(counted, { allowsUserMessage: false });
  return { priced: { parameters: counted, inputSchema } };
}

export function toStoredOffer(offer: VersionOffer): StoredOffer {
  return { ...offer, amountAtomic: offer.amountAtomic.toString() };
}

export function fromStoredOffer(stored: StoredOffer): VersionOffer {
  return { ...stored, amountAtomic: BigInt(stored.amountAtomic) };
}
