import { z } from 'zod';
import { formatUsdc, operation, type Caller } from '#kit/index.ts';
import { assertPublic, findOwnReadable, loadPublic, type ReadDeps } from './get-resource.ts';
import { settlementPoints } from './resource-kind.ts';
import { shownOffer, toShownOffer } from './resource-view.ts';
import { fromStoredOffer, type VersionRow } from './tables.ts';

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
  /** Only for the creator. */
  config: z.unknown().optional(),
});

type Row = Pick<
  VersionRow,
  'id' | 'version' | 'name' | 'price_atomic' | 'offers' | 'settlement_point' | 'published_at' | 'config'
> & { slug: string; superseded_at: Date | null };

export const listResourceVersions = operation({
  name: 'resources.versions',
  route: 'GET /api/resources/:id/versions',
  summary: 'What was published when, newest first. The creator also sees the configuration of each version.',
  scope: 'public',
  input: z.strictObject({
    id: z.uuid(),
    limit: z.coerce.number().int().min(1).max(100).default(20),
    /** The version number that the page before ended with. */
    cursor: z.coerce.number().int().positive().optional(),
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
        `SELECT id, version, slug, name, price_atomic, offers, settlement_point, published_at, superseded_at,
           CASE WHEN $4 THEN config END AS config
         FROM x402_resource_versions WHERE resource_id = $1 AND ($2::int IS NULL OR version < $2)
         ORDER BY version DESC LIMIT $3`,
        [id, cursor ?? null, limit + 1, isOwn],
      ),
    );
    const page = rows.slice(0, limit);
    const nextCursor = rows.length > limit ? String(page.at(-1)?.version) : null;
    return { items: page.map((row) => toItem(row, isOwn)), nextCursor };
  },
});

function toItem(row: Row, isOwn: boolean): z.input<typeof item> {
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
    ...(isOwn ? { config: row.config } : {}),
  };
}
