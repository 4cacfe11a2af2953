import { z } from 'zod';
import { assertScope, operation, type Caller } from '#kit/index.ts';
import { categories } from './category.ts';
import { getUser } from './own-resource.ts';
import { findStats, publicResource, resourceSummary, toPublicResource, toSummary } from './resource-view.ts';
import type { ReadDeps } from './get-resource.ts';
import { toSearchQuery } from './search-words.ts';
import { toPublishedVersion, versionColumns, type ResourceRow, type VersionRow } from './tables.ts';

const input = z.strictObject({
  mine: z.union([z.boolean(), z.stringbool()]).default(false),
  q: z.string().max(200).optional(),
  category: z.enum(categories).optional(),
  kind: z.string().max(60).regex(/^\w+$/, 'Write the name of a kind: letters, digits and _').optional(),
  creator: z
    .string()
    .max(60)
    .regex(/^[\w-]+$/, 'Write a username: letters, digits, hyphens and _')
    .optional(),
  /** CAIP-2: what can be paid on this network. */
  network: z
    .string()
    .max(100)
    .regex(/^[\w:-]+$/, 'Write a CAIP-2 network, such as eip155:8453')
    .optional(),
  /** Only with `mine`. */
  state: z.enum(['draft', 'published', 'paused', 'archived']).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.uuid().optional(),
});

type Input = z.output<typeof input>;

export const listResources = operation({
  name: 'resources.list',
  route: 'GET /api/resources',
  summary:
    'Published resources, newest first, by words, category, kind, creator or network; with mine=true your own in any state.',
  scope: 'public',
  input,
  output: z.object({
    items: z.array(z.discriminatedUnion('view', [resourceSummary, publicResource])),
    nextCursor: z.string().nullable(),
  }),
  problems: ['forbidden'],
  run: async (deps: ReadDeps, caller: Caller, given) =>
    given.mine ? listMine(deps, caller, given) : listPublic(deps, given),
});

async function listMine(deps: ReadDeps, caller: Caller, given: Input) {
  const user = getUser(caller);
  assertScope('resources:read', user);
  const { rows } = await deps.tx.query<ResourceRow & Published>(
    `SELECT r.*, v.version AS published_version, v.name AS published_name, v.price_atomic AS published_price_atomic
     FROM x402_resources r LEFT JOIN x402_resource_versions v ON v.id = r.published_version_id
     WHERE ($1::uuid IS NULL OR r.id < $1) AND ($2::text IS NULL OR r.kind = $2) AND ($3::text IS NULL OR r.state = $3)
       AND ($4::text IS NULL OR r.draft->>'category' = $4)
       AND ($5::text IS NULL
         OR to_tsvector('simple', concat_ws(' ', r.draft->>'name', r.slug)) @@ to_tsquery('simple', $5))
       AND ($6::text IS NULL OR r.draft->>'network' = $6
         OR r.draft->'furtherOffers' @> jsonb_build_array(jsonb_build_object('network', $6)))
     ORDER BY r.id DESC LIMIT $7`,
    [given.cursor, given.kind, given.state, given.category, toQuery(given.q), given.network, given.limit + 1],
  );
  const page = rows.slice(0, given.limit);
  const stats = await findStats(
    deps,
    page.map((row) => row.id),
  );
  const items = page.map((row) =>
    toSummary(deps, { row, creator: user.username, stats: stats.get(row.id) }, toPublished(row)),
  );
  return { items, nextCursor: rows.length > given.limit ? (page.at(-1)?.id ?? null) : null };
}

/** Null before the first publication. */
interface Published {
  published_version: number | null;
  published_name: string;
  published_price_atomic: string;
}

function toPublished(row: Published) {
  const { published_version: version, published_name: name, published_price_atomic: price } = row;
  return version === null ? null : { version, name, priceAtomic: BigInt(price) };
}

async function listPublic(deps: ReadDeps, given: Input) {
  const { rows } = await deps.asSystem((tx) =>
    tx.query<VersionRow>(
      `SELECT ${versionColumns}
       FROM x402_resources r
       JOIN x402_resource_versions v ON v.id = r.published_version_id
       JOIN users u ON u.id = r.owner_id
       WHERE r.state = 'published' AND ($1::uuid IS NULL OR r.id < $1) AND ($2::text IS NULL OR r.kind = $2)
         AND ($3::text IS NULL OR u.username = $3) AND ($4::text IS NULL OR v.category = $4)
         AND ($5::text IS NULL OR (v.superseded_at IS NULL AND v.search @@ to_tsquery('simple', $5)))
         AND ($6::text IS NULL
           OR (v.superseded_at IS NULL AND v.offers @> jsonb_build_array(jsonb_build_object('network', $6))))
       ORDER BY r.id DESC LIMIT $7`,
      [given.cursor, given.kind, given.creator, given.category, toQuery(given.q), given.network, given.limit + 1],
    ),
  );
  const page = rows.slice(0, given.limit).map(toPublishedVersion);
  const stats = await findStats(
    deps,
    page.map((version) => version.resourceId),
  );
  const items = page.map((version) => toPublicResource(deps, version, { stats: stats.get(version.resourceId) }));
  return { items, nextCursor: rows.length > given.limit ? (page.at(-1)?.resourceId ?? null) : null };
}

/** No words find everything; words that hold nothing searchable find nothing. */
function toQuery(q = ''): string | null {
  return q.trim() === '' ? null : (toSearchQuery(q) ?? '');
}
