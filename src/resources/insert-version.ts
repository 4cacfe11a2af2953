import type { Tx } from '#database/index.ts';
import { canonicalJson, newId, Problem, sha256Hex, type FieldProblem, type User } from '#kit/index.ts';
import type { Content, Findings } from './check-draft.ts';
import type { Draft } from './draft.ts';
import { readDraft, toOwnDraft } from './draft-version.ts';
import { claimSlug } from './own-resource.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import { toSearchText } from './search-words.ts';
import { toStoredOffer, type ResourceRow } from './tables.ts';

/** A draft that may be published as it is. */
export interface CheckedDraft extends Findings {
  draft: Draft;
  revision: number;
  digest: string;
  content: Content;
  aiModelId: string | null;
  /** When the resource had last changed as it was found fit to run. */
  readAt: Date;
}

type Prepared = { ok: true; draft: CheckedDraft } | { ok: false; problems: FieldProblem[] };

/** Before the transaction: a kind may take its time. */
export async function prepareVersion(deps: ResourcesDeps, user: User, read: ResourceRow): Promise<Prepared> {
  const { content, problems, warnings } = await readDraft(deps, toOwnDraft(read, user));
  if (content === null || problems.length > 0) {
    return { ok: false, problems };
  }
  const { draft, revision, updated_at: readAt } = read;
  const digest = sha256Hex(canonicalJson(draft));
  const aiModelId = await findModelId(deps, content);
  return { ok: true, draft: { draft, revision, digest, content, aiModelId, readAt, problems: [], warnings } };
}

/** Of the model that a version is known by; null where its kind has none, or the catalogue does not know it. */
async function findModelId({ kinds, findModelId: find }: ResourcesDeps, content: Content): Promise<string | null> {
  const [model] = kinds.find(({ name }) => name === content.kind)?.modelIdsOf?.(content.config) ?? [];
  return model === undefined || !find ? null : find(model);
}

interface Publication {
  /** Locked. */
  row: ResourceRow;
  draft: CheckedDraft;
  now: Date;
}

/** The lock on the resource makes version numbers follow each other; an older draft never replaces a newer one. */
export async function insertVersion(tx: Tx, { row, draft, now }: Publication): Promise<ResourceRow> {
  const { id } = row;
  if (row.published_revision !== null && row.published_revision > draft.revision) {
    throw new Problem('precondition_failed', { detail: 'A newer draft has been published meanwhile.' });
  }
  const newest = await findNewest(tx, id);
  if (newest?.draft_digest === draft.digest) {
    throw new Problem('conflict', {
      detail: `Nothing has changed since version ${newest.version}, which stands published.`,
      next: 'Edit the draft first.',
    });
  }
  await claimSlug(tx, { ownerId: row.owner_id, resourceId: id, slug: draft.content.slug });
  await tx.query(
    'UPDATE x402_resource_versions SET superseded_at = $2 WHERE resource_id = $1 AND superseded_at IS NULL',
    [id, now],
  );
  const versionId = newId();
  await tx.query(insertVersionSql, [
    versionId,
    id,
    row.owner_id,
    (newest?.version ?? 0) + 1,
    ...toColumns(draft.content),
    draft.digest,
    toSearchText(draft.content),
    now,
    draft.aiModelId,
    JSON.stringify(draft.draft),
    draft.content.mediaRetentionSeconds,
    draft.content.maxLossUsd,
    draft.content.runsLong === true,
    toJson(draft.content.priceFormula),
    toJson(draft.content.useMeasure),
    draft.content.batch?.maxInputs ?? null,
  ]);
  await withdrawFormerPayees(tx, { id, now }, draft.content);
  const { rows } = await tx.query<ResourceRow>(
    `UPDATE x402_resources SET published_version_id = $2, published_revision = $3, slug = $4, updated_at = $5,
       state = CASE WHEN $6 THEN 'published' ELSE state END,
       paused_by = CASE WHEN $6 THEN NULL ELSE paused_by END,
       pause_cause = CASE WHEN $6 THEN NULL ELSE pause_cause END
     WHERE id = $1 RETURNING *`,
    [id, versionId, draft.revision, draft.content.slug, now, isOnSale(row, draft)],
  );
  return rows[0] as ResourceRow;
}

/**
 * What its owner paused stays paused. What was paused because it could not run is sold again, for this version can; unless
 * something of it, such as a key, went since that was asked.
 */
function isOnSale(
  { state, paused_by: pausedBy, updated_at: updatedAt }: ResourceRow,
  { readAt }: CheckedDraft,
): boolean {
  return state !== 'paused' || (pausedBy !== 'owner' && updatedAt.getTime() === readAt.getTime());
}

async function findNewest(tx: Tx, id: string): Promise<{ version: number; draft_digest: string } | undefined> {
  const { rows } = await tx.query<{ version: number; draft_digest: string }>(
    'SELECT version, draft_digest FROM x402_resource_versions WHERE resource_id = $1 ORDER BY version DESC LIMIT 1',
    [id],
  );
  return rows[0];
}

/** Nobody shall be able to pay an address that the creator has given up, by calling an older version. */
async function withdrawFormerPayees(
  tx: Tx,
  { id, now }: { id: string; now: Date },
  { offers }: Content,
): Promise<void> {
  await tx.query(
    `UPDATE x402_resource_versions v SET withdrawn_at = $3
     WHERE resource_id = $1 AND superseded_at IS NOT NULL AND withdrawn_at IS NULL AND EXISTS (
       SELECT FROM jsonb_array_elements(v.offers) offer WHERE offer ->> 'payTo' <> ALL ($2::text[]))`,
    [id, offers.map(({ payTo }) => payTo), now],
  );
}

const insertVersionSql = `
  INSERT INTO x402_resource_versions (id, resource_id, owner_id, version, slug, kind, name, description, category, tags,
    price_atomic, offers, settlement_point, timeout_seconds, parameters, input_schema, config, draft_digest, search, published_at,
    ai_model_id, draft, media_retention_seconds, max_loss_usd, runs_long, price_formula, use_measure, batch_max_inputs)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
    to_tsvector('simple', $19), $20, $21, $22, $23, $24, $25, $26, $27, $28)`;

function toJson(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function toColumns(content: Content): unknown[] {
  return [
    content.slug,
    content.kind,
    content.name,
    content.description,
    content.category,
    content.tags,
    content.priceAtomic.toString(),
    JSON.stringify(content.offers.map(toStoredOffer)),
    content.settlementPoint,
    content.timeoutSeconds,
    JSON.stringify(content.parameters),
    JSON.stringify(content.inputSchema),
    JSON.stringify(content.config),
  ];
}
