import type { Tx } from '#database/index.ts';
import type { Log } from '#kit/index.ts';
import { loadVersion } from './load-version.ts';
import { quoteOf } from './quote-version.ts';
import type { CostQuote } from './resource-kind.ts';
import type { ResourcesDeps } from './resources-deps.ts';

/** A resource that is sold, or would be, and the models that it asks, as its config names them. */
export interface ModelUse {
  ownerId: string;
  resourceId: string;
  slug: string;
  models: readonly string[];
}

interface Row {
  id: string;
  owner_id: string;
  slug: string;
  kind: string;
  config: unknown;
}

const PAGE = 500;

/**
 * Of every resource that `listSold` lists, in pages, and nothing but this: it is asked in the transaction of a catalogue
 * sync, which keeps others from the catalogue. `tx`: with the system's rights.
 */
export async function* listModelUses(
  { kinds }: Pick<ResourcesDeps, 'kinds'>,
  tx: Pick<Tx, 'query'>,
): AsyncGenerator<ModelUse[]> {
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const { rows } = await tx.query<Row>(
      `SELECT r.id, r.owner_id, r.slug, v.kind, v.config
       FROM x402_resources r JOIN x402_resource_versions v ON v.id = r.published_version_id
       WHERE (r.state = 'published' OR (r.state = 'paused' AND r.paused_by <> 'owner')) AND r.id > $1
       ORDER BY r.id LIMIT ${PAGE}`,
      [after],
    );
    yield rows.flatMap(({ id: resourceId, owner_id: ownerId, slug, kind: name, config }) => {
      const kind = kinds.find((one) => one.name === name);
      // What the kind cannot read any more says nothing.
      const parsed = kind?.configSchema.safeParse(config);
      const models = parsed?.success ? (kind?.modelIdsOf?.(parsed.data) ?? []) : [];
      return models.length === 0 ? [] : [{ ownerId, resourceId, slug, models }];
    });
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) {
      return;
    }
    after = last.id;
  }
}

/** What a call of one of them costs its creator; null where nobody can tell. Never rejects for what the kind cannot. */
export async function quoteSold(
  { kinds, clock, log }: Pick<ResourcesDeps, 'kinds' | 'clock'> & { log: Pick<Log, 'error'> },
  tx: Pick<Tx, 'query'>,
  resourceId: string,
): Promise<CostQuote | null> {
  const version = await loadVersion({ pool: tx, nowMs: clock.now() }, 'resource', [resourceId]);
  const kind = version && kinds.find(({ name }) => name === version.kind);
  try {
    return kind ? await quoteOf(kind, version) : null;
  } catch (err) {
    log.error({ err, resourceId }, 'the cost of a call could not be told');
    return null;
  }
}
