import type { Tx } from '#database/index.ts';
import type { CatalogueChange, TokenPrice } from './open-models.ts';
import { isUnknownPrice, type Pricing } from './pricing.ts';

interface Row {
  id: string;
  openrouter_id: string;
  kind: CatalogueChange['kind'];
  before: Pricing | { pricing: Pricing };
  after: Pricing | null;
}

/** What a sync changed of prices and removed, by the uuids of the models' rows. */
export async function listChanged(tx: Tx, syncId: string): Promise<ReadonlyMap<string, CatalogueChange>> {
  const { rows } = await tx.query<Row>(
    `SELECT m.id, c.openrouter_id, c.kind, c.before, c.after
     FROM ai_model_changes c JOIN ai_models m USING (openrouter_id)
     WHERE c.sync_id = $1 AND c.kind IN ('price', 'removed')`,
    [syncId],
  );
  return new Map(
    rows.map(({ id, openrouter_id: openrouterId, kind, before, after }) => [
      id,
      {
        openrouterId,
        kind,
        before: toTokenPrice('pricing' in before ? before.pricing : before),
        after: toTokenPrice(after),
      },
    ]),
  );
}

function toTokenPrice(pricing: Pricing | null): TokenPrice {
  const told = (price: string | undefined): string | null =>
    price === undefined || isUnknownPrice(price) ? null : price;
  return { prompt: told(pricing?.prompt), completion: told(pricing?.completion) };
}
