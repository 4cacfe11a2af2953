import type { Tx } from '#database/index.ts';
import type { PublishedVersion } from './resource-kind.ts';
import { GRACE_MS, toPublishedVersion, versionColumns, type VersionRow } from './tables.ts';

/** Versions that were replaced after $1 and offered something else than this one: their whole lists are compared. */
const superseded = `(
  SELECT json_agg(json_build_object('versionId', o.id, 'offers', o.offers, 'priceFormula', o.price_formula, 'settlementPoint', o.settlement_point,
    'parameters', CASE WHEN o.price_formula IS NOT NULL THEN o.parameters END, 'timeoutSeconds', o.timeout_seconds, 'runsLong', o.runs_long,
    'batchMaxInputs', o.batch_max_inputs, 'publishedAt', o.published_at, 'supersededAt', o.superseded_at) ORDER BY o.version DESC)
  FROM x402_resource_versions o
  WHERE o.resource_id = r.id AND o.superseded_at > $1 AND o.price_atomic > 0
    AND (o.offers, o.price_formula, o.settlement_point, o.timeout_seconds, o.runs_long, o.batch_max_inputs)
      IS DISTINCT FROM (v.offers, v.price_formula, v.settlement_point, v.timeout_seconds, v.runs_long, v.batch_max_inputs)) AS superseded`;

const current = `
  FROM x402_resources r
  JOIN x402_resource_versions v ON v.id = r.published_version_id
  JOIN users u ON u.id = r.owner_id`;

/** One version by its number. Its own offers alone can be paid; what stands published now is never withdrawn. */
const pinned = `SELECT ${versionColumns}, true AS is_pinned, NULL AS superseded,
    v.withdrawn_at IS NOT NULL AND v.superseded_at IS NOT NULL AS is_withdrawn
  FROM x402_resources r
  JOIN x402_resource_versions v ON v.resource_id = r.id
  JOIN users u ON u.id = r.owner_id`;

const queries = {
  slug: `SELECT ${versionColumns}, ${superseded} ${current}
    JOIN x402_resource_slugs s ON s.resource_id = r.id AND s.owner_id = u.id
    WHERE u.username = $2 AND s.slug = $3`,
  resource: `SELECT ${versionColumns}, ${superseded} ${current} WHERE r.id = $2`,
  version: `SELECT ${versionColumns}, ${superseded}
    FROM x402_resource_versions v
    JOIN x402_resources r ON r.id = v.resource_id
    JOIN users u ON u.id = r.owner_id
    WHERE v.id = $2`,
  pinnedSlug: `${pinned}
    JOIN x402_resource_slugs s ON s.resource_id = r.id AND s.owner_id = u.id
    WHERE u.username = $2 AND s.slug = $3 AND v.version = $4::int AND $1::timestamptz IS NOT NULL`,
  pinnedResource: `${pinned} WHERE r.id = $2 AND v.version = $3::int AND $1::timestamptz IS NOT NULL`,
};

interface Source {
  pool: Pick<Tx, 'query'>;
  nowMs: number;
}

/** By creator and slug (any slug the resource ever published under) or resource id, a number of a version after it, or version id. */
export async function loadVersion(
  source: Source,
  by: keyof typeof queries,
  values: readonly string[],
): Promise<PublishedVersion | null> {
  const { rows } = await source.pool.query<VersionRow>({
    name: `resources.${by}`,
    text: queries[by],
    values: [new Date(source.nowMs - GRACE_MS), ...values],
  });
  return rows[0] ? toPublishedVersion(rows[0]) : null;
}
