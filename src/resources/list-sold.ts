import type { Tx } from '#database/index.ts';
import type { Log } from '#kit/index.ts';
import { quoteOf } from './quote-version.ts';
import { toLowestPrice } from './lowest-price.ts';
import { priceOffers } from './price-offers.ts';
import type { CostQuote, ResourceKind } from './resource-kind.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import { toPublishedVersion, versionColumns, type VersionRow } from './tables.ts';
import { toInputExample } from './to-input-schema.ts';

/** What a creator sells, or would if nothing kept it from running. */
export interface SoldResource {
  ownerId: string;
  resourceId: string;
  slug: string;
  /** The lowest of its offers, for the example input where the price follows from it; "0" is free. */
  priceUsdc: string;
  /** What a call costs its creator, asked now; null where nobody can tell. Never rejects: one resource is not all of them. */
  quote(): Promise<CostQuote | null>;
}

/** Read at once, so that they keep this process from other work for milliseconds only. */
const PAGE = 100;

/**
 * Every resource that is published, or paused by something else than its owner, in pages; of one owner where one is named.
 * `tx`: with the system's rights.
 */
export async function* listSold(
  { kinds, log }: Pick<ResourcesDeps, 'kinds'> & { log: Pick<Log, 'error'> },
  tx: Pick<Tx, 'query'>,
  ownerId: string | null = null,
): AsyncGenerator<SoldResource[]> {
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const { rows } = await tx.query<VersionRow>(
      `SELECT ${versionColumns}, NULL AS superseded
       FROM x402_resources r
       JOIN x402_resource_versions v ON v.id = r.published_version_id
       JOIN users u ON u.id = r.owner_id
       WHERE (r.state = 'published' OR (r.state = 'paused' AND r.paused_by <> 'owner')) AND r.id > $1
         AND ($2::text IS NULL OR r.owner_id = $2)
       ORDER BY r.id LIMIT ${PAGE}`,
      [after, ownerId],
    );
    yield rows.flatMap((row) => {
      const kind = kinds.find(({ name }) => name === row.kind);
      return kind ? [toSold(kind, row, log)] : [];
    });
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) {
      return;
    }
    after = last.resource_id;
  }
}

function toSold(kind: ResourceKind, row: VersionRow, log: Pick<Log, 'error'>): SoldResource {
  const version = toPublishedVersion(row);
  // What the kind cannot read any more says nothing.
  const parsed = kind.configSchema.safeParse(version.config);
  return {
    ownerId: version.ownerId,
    resourceId: version.resourceId,
    slug: version.slug,
    priceUsdc: toLowestPrice(priceOffers(version, toInputExample(version.parameters))),
    quote: async () => {
      try {
        return parsed.success ? await quoteOf(kind, version) : null;
      } catch (err) {
        log.error({ err, resourceId: version.resourceId }, 'the cost of a call could not be told');
        return null;
      }
    },
  };
}

/** The slugs of resources by their ids. The system's rights. */
export async function listSlugs(tx: Pick<Tx, 'query'>, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { rows } = await tx.query<{ id: string; slug: string }>(
    'SELECT id, slug FROM x402_resources WHERE id = ANY ($1)',
    [ids],
  );
  return new Map(rows.map(({ id, slug }) => [id, slug]));
}
