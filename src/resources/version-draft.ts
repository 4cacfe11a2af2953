import { formatUsdc } from '#kit/index.ts';
import { emptyDraft, type Draft } from './draft.ts';
import { fromStoredOffer, type VersionRow } from './tables.ts';

export type DraftSource = Pick<
  VersionRow,
  | 'name'
  | 'description'
  | 'category'
  | 'tags'
  | 'offers'
  | 'price_atomic'
  | 'settlement_point'
  | 'timeout_seconds'
  | 'parameters'
  | 'config'
> & { slug: string; draft: Draft | null };

/** Of `x402_resource_versions`. */
export const draftColumns = `slug, name, description, category, tags, offers, price_atomic, settlement_point,
  timeout_seconds, parameters, config, draft`;

/** The draft that a version was made of. Of versions from before drafts were kept, what their columns tell: none of them runs long, has a formula or takes batches. */
export function toVersionDraft(row: DraftSource): Draft {
  if (row.draft !== null) {
    return { ...emptyDraft, ...row.draft };
  }
  const [first, ...further] = row.offers.map(fromStoredOffer);
  return {
    ...emptyDraft,
    slug: row.slug,
    name: row.name,
    description: row.description,
    category: row.category as Draft['category'],
    tags: row.tags,
    priceUsdc: formatUsdc(BigInt(row.price_atomic)),
    ...(first ? { scheme: first.scheme, network: first.network, payTo: first.payTo } : {}),
    furtherOffers: further.map(({ amountAtomic, ...offer }) => ({ ...offer, priceUsdc: formatUsdc(amountAtomic) })),
    settlementPoint: row.settlement_point,
    timeoutSeconds: row.timeout_seconds,
    parameters: row.parameters,
    config: row.config as Draft['config'],
  };
}
