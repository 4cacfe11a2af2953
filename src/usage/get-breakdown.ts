import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, type Caller } from '#kit/index.ts';
import { dashboardFilters, range, showRange, toDays, toRange, toRangeBefore, type Range } from './dashboard-query.ts';
import { figures } from './figures.ts';
import { assertAnswerable, noFigures, type DashboardDeps } from './get-summary.ts';
import { readFigures } from './read-figures.ts';

const keys = ['resource', 'version', 'model', 'payer'] as const;

const item = figures.extend({
  resourceId: z.uuid().optional(),
  version: z.int().optional(),
  model: z.string().optional().describe('"" where the kind of resource tells none'),
  payer: z.string().optional(),
  lastCalledAt: z.string().nullable().describe('Told of payers'),
  /** The same in the range before. */
  before: figures,
});

export const getBreakdown = operation({
  name: 'usage.breakdown',
  route: 'GET /api/usage/breakdown',
  summary: 'The same for each resource, version, model or payer: those that earned most first.',
  scope: 'usage:read',
  input: dashboardFilters.extend({
    by: z.enum(keys).default('resource'),
    limit: z.coerce.number().int().min(1).max(100).default(20),
  }),
  output: z.object({ range, rangeBefore: range, by: z.enum(keys), total: z.int(), items: z.array(item) }),
  run: async ({ tx, clock }: DashboardDeps & InTransaction, _caller: Caller, { from, to, by, limit, ...filters }) => {
    const hours = toRange({ from, to }, clock.now());
    assertAnswerable(hours, null, { by, ...filters });
    const asked = by === 'payer' || filters.payer !== undefined ? toDays(hours) : hours;
    const read = (one: Range, more: object) => readFigures(tx, { range: one, filters, by, timeZone: 'UTC', ...more });
    const earlier = toRangeBefore(asked);
    const found = await read(asked, { limit });
    const before = await read(earlier, { only: [...found.keys()] });
    const items = [...found].map(([key, one]) => ({
      ...one,
      ...toNames(by, key),
      before: before.get(key) ?? noFigures,
    }));
    return { range: showRange(asked), rangeBefore: showRange(earlier), by, total: found.total, items };
  },
});

function toNames(by: (typeof keys)[number], key: string): Partial<z.input<typeof item>> {
  switch (by) {
    case 'resource':
      return { resourceId: key };
    case 'version': {
      const [resourceId = '', version = ''] = key.split('/');
      return { resourceId, version: Number(version) };
    }
    case 'model':
      return { model: key };
    case 'payer':
      return { payer: key };
  }
}
