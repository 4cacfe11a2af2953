import { Big } from 'big.js';
import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, type Caller } from '#kit/index.ts';
import type { Model } from './model.ts';
import { getNamedModel, modelPath } from './named-in-path.ts';
import type { ModelsDeps } from './open-models.ts';
import { toPerMillion } from './per-million.ts';
import { isUnknownPrice, type Pricing } from './pricing.ts';

const usd = z.string().nullable().describe('USD as a decimal; null: not known before a call, or not offered');
const point = z.object({
  at: z.string(),
  isOffered: z.boolean(),
  promptPerMillion: usd,
  completionPerMillion: usd,
  requestUsd: usd,
});
const output = z.object({
  openrouterId: z.string(),
  points: z.array(point).describe('Each holds until the next; oldest first, the last one is of now'),
});

type Point = z.input<typeof point>;

interface Change {
  kind: 'added' | 'removed' | 'returned' | 'price';
  before: unknown;
  after: unknown;
  at: Date;
}

const MOST = 1_000;

export const listPriceHistory = operation({
  name: 'models.prices',
  route: 'GET /api/models/:author/:slug/prices',
  summary: 'How the price of an AI model has changed, as points of a chart',
  scope: 'public',
  input: modelPath,
  output,
  problems: ['not_found'],
  prepare: (deps: ModelsDeps, _caller, named) => getNamedModel(deps, named),
  run: async ({ tx, prepared: model }: ModelsDeps & InTransaction<Model>, _caller: Caller) => {
    const { rows } = await tx.query<Change>(
      `SELECT kind, before, after, at FROM ai_model_changes
       WHERE openrouter_id = $1 AND kind IN ('added', 'removed', 'returned', 'price') ORDER BY id DESC LIMIT ${MOST}`,
      [model.openrouterId],
    );
    return { openrouterId: model.openrouterId, points: toPoints(model, rows.toReversed()) };
  },
});

function toPoints(model: Model, changes: readonly Change[]): Point[] {
  const [oldest] = changes;
  // What was there before its first change that is kept is told by that change.
  const begin = oldest?.kind === 'price' ? [toPoint(new Date(model.firstSeenAt), oldest.before as Pricing)] : [];
  const points = changes.map(({ kind, after, at }) => toPoint(at, pricingAfter(kind, after)));
  // The sync's own time is kept in whole seconds.
  const latest = Math.max(Date.parse(model.lastSyncedAt), changes.at(-1)?.at.getTime() ?? 0);
  const now = toPoint(new Date(latest), model.isActive ? model.pricing : null);
  return [...begin, ...points, now];
}

/** A row of a price holds the pricing alone, the others hold it with the name. */
function pricingAfter(kind: Change['kind'], after: unknown): Pricing | null {
  return kind === 'price' ? (after as Pricing) : ((after as { pricing?: Pricing } | null)?.pricing ?? null);
}

function toPoint(at: Date, pricing: Pricing | null): Point {
  return {
    at: at.toISOString(),
    isOffered: pricing !== null,
    promptPerMillion: toUsd(pricing?.prompt, toPerMillion),
    completionPerMillion: toUsd(pricing?.completion, toPerMillion),
    requestUsd: pricing === null ? null : toUsd(pricing.request ?? '0', (price) => new Big(price).toFixed()),
  };
}

function toUsd(price: string | undefined, toShown: (price: string) => string): string | null {
  return price === undefined || isUnknownPrice(price) ? null : toShown(price);
}
