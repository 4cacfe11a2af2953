import { Big } from 'big.js';
import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, type Caller } from '#kit/index.ts';
import { readCatalogue } from './find-model.ts';
import type { Model } from './model.ts';
import { getNamedModel, modelPath } from './named-in-path.ts';
import type { ModelsDeps } from './open-models.ts';
import { findSubstitutes, type Substitute } from './find-substitutes.ts';
import { priceUsage } from './price-usage.ts';

const tokens = z.coerce.number().int().min(0).max(10_000_000).default(1_000);
const input = modelPath.extend({
  promptTokens: tokens.describe('Of one call, such as a quote of your resource tells'),
  completionTokens: tokens,
  sort: z.enum(['cheapest', 'nearest']).default('cheapest').describe('nearest: the same maker first, then by price'),
  limit: z.coerce.number().int().min(1).max(50).default(10),
});
const substitute = z.object({
  openrouterId: z.string(),
  displayName: z.string(),
  contextLength: z.number().nullable(),
  expirationDate: z.string().nullable(),
  costUsd: z.string().describe('Of such a call at list prices'),
  differenceUsd: z.string().nullable().describe('More or less than the model that is to be replaced'),
});
const output = z.object({
  openrouterId: z.string(),
  expirationDate: z.string().nullable(),
  costUsd: z.string().nullable(),
  items: z.array(substitute),
});

type Named = { model: Model; models: readonly Model[] };

export const listSubstitutes = operation({
  name: 'models.substitutes',
  route: 'GET /api/models/:author/:slug/substitutes',
  summary: 'AI models that can do all that this one can, with what a call would cost on them',
  scope: 'public',
  input,
  output,
  problems: ['not_found'],
  prepare: async (deps: ModelsDeps, _caller, named): Promise<Named> => ({
    model: await getNamedModel(deps, named),
    models: (await readCatalogue(deps)).models,
  }),
  run: async (
    { prepared: { model, models } }: ModelsDeps & InTransaction<Named>,
    _caller: Caller,
    { sort, limit, ...usage },
  ) => {
    const costUsd = priceUsage(model.pricing, usage, 'usual');
    const found = findSubstitutes(model, models, usage);
    const byNearness = (one: Substitute, other: Substitute) => compareNearness(model, costUsd, [one, other]);
    const sorted = sort === 'nearest' ? found.toSorted(byNearness) : found;
    const items = sorted.slice(0, limit).map(({ model: one, costUsd: cost, differenceUsd }) => ({
      openrouterId: one.openrouterId,
      displayName: one.displayName,
      contextLength: one.contextLength,
      expirationDate: one.expirationDate,
      costUsd: cost,
      differenceUsd,
    }));
    return { openrouterId: model.openrouterId, expirationDate: model.expirationDate, costUsd, items };
  },
});

function compareNearness(model: Model, costUsd: string | null, [one, other]: [Substitute, Substitute]): number {
  const isOther = ({ model: { provider } }: Substitute): number => Number(provider !== model.provider);
  const away = (found: Substitute): Big => new Big(found.costUsd).minus(costUsd ?? 0).abs();
  return isOther(one) - isOther(other) || away(one).cmp(away(other));
}
