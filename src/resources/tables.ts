import type { Draft } from './draft.ts';
import type { Parameter } from './parameter.ts';
import type { JsonSchema, PublishedVersion } from './resource-kind.ts';

export type ResourceState = 'draft' | PublishedVersion['state'];

/** A row of `x402_resources`. */
export interface ResourceRow {
  id: string;
  owner_id: string;
  kind: string;
  slug: string;
  state: ResourceState;
  pause_cause: string | null;
  paused_by: 'owner' | 'key' | null;
  draft: Draft;
  revision: number;
  published_revision: number | null;
  published_version_id: string | null;
  created_at: Date;
  updated_at: Date;
}

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
  network: string;
  pay_to: string;
  timeout_seconds: number;
  parameters: Parameter[];
  input_schema: JsonSchema;
  config: unknown;
  published_at: Date;
  creator: string;
  current_slug: string;
  state: PublishedVersion['state'];
  pause_cause: string | null;
  superseded:
    | (Record<'versionId' | 'priceAtomic' | 'network' | 'payTo' | 'supersededAt', string> & {
        timeoutSeconds: number;
      })[]
    | null;
}

/** For `SELECT … FROM x402_resource_versions v JOIN x402_resources r … JOIN users u …`. */
export const versionColumns = `
  v.id, v.resource_id, v.owner_id, v.version, v.kind, v.name, v.description, v.category, v.tags, v.price_atomic,
  v.network, v.pay_to, v.timeout_seconds, v.parameters, v.input_schema, v.config, v.published_at,
  u.username AS creator, r.slug AS current_slug, r.state, r.pause_cause`;

/** How long the price of a replaced version can still be paid: a buyer may have signed it just before. */
export const GRACE_MS = 120_000;

export function toPublishedVersion(row: VersionRow): PublishedVersion {
  return {
    resourceId: row.resource_id,
    versionId: row.id,
    version: row.version,
    ownerId: row.owner_id,
    creator: row.creator,
    slug: row.current_slug,
    kind: row.kind,
    name: row.name,
    description: row.description,
    category: row.category,
    tags: row.tags,
    state: row.state,
    pauseCause: row.pause_cause,
    priceAtomic: BigInt(row.price_atomic),
    network: row.network,
    payTo: row.pay_to,
    timeoutSeconds: row.timeout_seconds,
    settlementPoint: 'on_success',
    parameters: row.parameters,
    inputSchema: row.input_schema,
    config: row.config,
    publishedAt: row.published_at,
    superseded: (row.superseded ?? []).map((offer) => ({
      versionId: offer.versionId,
      priceAtomic: BigInt(offer.priceAtomic),
      network: offer.network,
      payTo: offer.payTo,
      timeoutSeconds: offer.timeoutSeconds,
      until: new Date(Date.parse(offer.supersededAt) + GRACE_MS),
    })),
  };
}
