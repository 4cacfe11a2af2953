import { z } from 'zod';
import { formatUsdc, operation, toPinnedSlug, toResourceUrl, type Caller } from '#kit/index.ts';
import { assertPublic, findOwnReadable, loadPublic, type ReadDeps } from './get-resource.ts';
import { settlementPoints } from './resource-kind.ts';
import { shownOffer, toShownOffer } from './resource-view.ts';
import { fromStoredOffer, type VersionRow } from './tables.ts';
import type { VersionState } from './own-version.ts';
import { versionState } from './update-version.ts';

const item = z.object({
  id: z.string(),
  version: z.number(),
  slug: z.string(),
  name: z.string(),
  priceUsdc: z.string(),
  offers: z.array(shownOffer),
  settlementPoint: z.enum(settlementPoints),
  publishedAt: z.string(),
  supersededAt: z.string().nullable(),
  /** Where it is called by its number, whatever is published after it. */
  url: z.string(),
  ...versionState.pick({ label: true, withdrawnAt: true }).shape,
  /** Only for the creator. */
  config: z.unknown().optional(),
});

type Row = Pick<
  VersionRow,
  'id' | 'version' | 'name' | 'price_atomic' | 'offers' | 'settlement_point' | 'published_at' | 'config'
> & { slug: string; creator: string; current_slug: string; superseded_at: Date | null } & Pick<
    VersionState,
    'label' | 'withdrawn_at'
  >;

export const listResourceVersions = operation({
  name: 'resources.versions',
  route: 'GET /api/resources/:id/versions',
  summary: 'What was published when, newest first. The creator also sees the configuration of each version.',
  scope: 'public',
  input: z.strictObject({
    id: z.uuid(),
    limit: z.coerce.number().int().min(1).max(999_999_999).max(100).default(20),
    /** The version number that the page before ended with. */
    cursor: z.coerce.number().int().positive().max(999_999_999).optional(),
  }),
  output: z.object({ items: z.array(item), nextCursor: z.string().nullable() }),
  problems: ['not_found', 'gone'],
  run: async (deps: ReadDeps, caller: Caller, { id, limit, cursor }) => {
    const isOwn = (await findOwnReadable(deps, caller, id)) !== null;
    if (!isOwn) {
      assertPublic(await loadPublic(deps, 'resource', [id]));
    }
    const { rows } = await deps.asSystem((tx) =>
      tx.query<Row>(
        `SELECT v.id, v.version, v.slug, v.name, v.price_atomic, v.offers, v.settlement_point, v.published_at,
           v.superseded_at, v.label, v.withdrawn_at, u.username AS creator, r.slug AS current_slug,
           CASE WHEN $4 THEN v.config END AS config
         FROM x402_resource_versions v
         JOIN x402_resources r ON r.id = v.resource_id
         JOIN users u ON u.id = v.owner_id
         WHERE v.resource_id = $1 AND ($2::int IS NULL OR v.version < $2)
         ORDER BY v.version DESC LIMIT $3`,
        [id, cursor ?? null, limit + 1, isOwn],
      ),
    );
    const page = rows.slice(0, limit);
    const nextCursor = rows.length > limit ? String(page.at(-1)?.version) : null;
    return { items: page.map((row) => toItem(deps, row, isOwn)), nextCursor };
  },
});

function toItem({ publicUrl }: ReadDeps, row: Row, isOwn: boolean): z.input<typeof item> {
  return {
    id: row.id,
    version: row.version,
    slug: row.slug,
    name: row.name,
    priceUsdc: formatUsdc(BigInt(row.price_atomic)),
    offers: row.offers.map((offer) => toShownOffer(fromStoredOffer(offer))),
    settlementPoint: row.settlement_point,
    publishedAt: row.published_at.toISOString(),
    supersededAt: row.superseded_at?.toISOString() ?? null,
    url: toResourceUrl(publicUrl, row.creator, toPinnedSlug(row.current_slug, row.version)),
    label: row.label,
    withdrawnAt: row.withdrawn_at?.toISOString() ?? null,
    ...(isOwn ? { config: row.config } : {}),
  };
}
