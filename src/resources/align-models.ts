import type { Tx } from '#database/index.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import { lookSoon } from './resume-ready.ts';

/** The catalogue of models as a sync has just left it. */
export interface AlignedCatalogue {
  /** The uuids of all models that are offered. */
  activeIds: readonly string[];
  /** Of those that are missing, gone or told of in a way that cannot be read. */
  troubledIds: readonly string[];
  /** The uuid of the model that a name means, however it is written. */
  findId(name: string): string | null;
}

interface Row {
  id: string;
  kind: string;
  config: unknown;
  ai_model_id: string | null;
}

const PAGE = 500;

/** After each sync: what waits for a model is looked at soon, and versions point at the rows of their models. */
export async function followModels(
  deps: Pick<ResourcesDeps, 'kinds' | 'clock'>,
  tx: Tx,
  catalogue: AlignedCatalogue,
): Promise<number> {
  await lookSoon(tx, new Date(deps.clock.now()));
  return alignModels(deps, tx, catalogue);
}

/**
 * Points the current versions at the rows of their models: a model may have been renamed, listed for the first time, or its
 * row replaced. In the transaction of the sync, with the rights of the system. Returns how many resources that are sold
 * now use a model with which something is wrong.
 * @internal
 */
export async function alignModels(
  { kinds }: Pick<ResourcesDeps, 'kinds'>,
  tx: Tx,
  catalogue: AlignedCatalogue,
): Promise<number> {
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const { rows } = await tx.query<Row>(
      `SELECT id, kind, config, ai_model_id FROM x402_resource_versions
       WHERE superseded_at IS NULL AND (ai_model_id IS NULL OR ai_model_id <> ALL ($1::uuid[])) AND id > $2
       ORDER BY id LIMIT ${PAGE}`,
      [catalogue.activeIds, after],
    );
    await writeAll(
      tx,
      rows.flatMap((row) => toChange(kinds, row, catalogue)),
    );
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) {
      break;
    }
    after = last.id;
  }
  const { rows } = await tx.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM x402_resources r
     JOIN x402_resource_versions v ON v.id = r.published_version_id
     WHERE r.state = 'published' AND v.ai_model_id = ANY ($1::uuid[])`,
    [catalogue.troubledIds],
  );
  return rows[0]?.count ?? 0;
}

/** What is found nowhere keeps the row that it had: it tells what the model was. */
function toChange(
  kinds: ResourcesDeps['kinds'],
  { id, kind: name, config, ai_model_id: before }: Row,
  { findId }: AlignedCatalogue,
): { id: string; modelId: string }[] {
  const kind = kinds.find((candidate) => candidate.name === name);
  // What the kind cannot read any more says nothing, and stops no sync.
  const parsed = kind?.configSchema.safeParse(config);
  const [model] = parsed?.success ? (kind?.modelIdsOf?.(parsed.data) ?? []) : [];
  const modelId = model === undefined ? null : findId(model);
  return modelId === null || modelId === before ? [] : [{ id, modelId }];
}

async function writeAll(tx: Tx, changes: readonly { id: string; modelId: string }[]): Promise<void> {
  if (changes.length > 0) {
    await tx.query(
      `UPDATE x402_resource_versions v SET ai_model_id = change.model_id
       FROM unnest($1::uuid[], $2::uuid[]) AS change (id, model_id) WHERE v.id = change.id`,
      [changes.map(({ id }) => id), changes.map(({ modelId }) => modelId)],
    );
  }
}
