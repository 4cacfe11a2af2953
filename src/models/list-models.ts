import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, type Caller } from '#kit/index.ts';
import { parseCursor, sorts, toCursor, type Order, type Sort } from './model-cursor.ts';
import { modelFilters } from './model-filters.ts';
import { modelView, toModelView } from './model-view.ts';
import { searchModels } from './search-models.ts';

const naturalOrder: Record<Sort, Order> = { name: 'asc', newest: 'desc', price: 'asc', context: 'desc' };

const input = modelFilters.safeExtend({
  sort: z.enum(sorts).default('name').describe('price: prompt plus completion'),
  order: z.enum(['asc', 'desc']).optional().describe('asc for name and price, desc for newest and context unless told'),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(2000).optional(),
});
const output = z.object({ items: z.array(modelView), nextCursor: z.string().nullable() });

export const listModels = operation({
  name: 'models.list',
  route: 'GET /api/models',
  summary: 'Search the AI models that resources can use',
  scope: 'public',
  input,
  output,
  run: async ({ tx }: InTransaction, _caller: Caller, { sort, order, limit, cursor, ...filters }) => {
    const sorting = { sort, order: order ?? naturalOrder[sort] };
    const after = cursor === undefined ? null : parseCursor(cursor, sorting);
    const found = await searchModels(tx, { ...sorting, filters, after, limit: limit + 1 });
    const items = found.slice(0, limit);
    const last = items.at(-1);
    const isMore = found.length > limit && last !== undefined;
    return {
      items: items.map(toModelView),
      nextCursor: isMore ? toCursor(sorting, { key: last.sortKey, id: last.id }) : null,
    };
  },
});
