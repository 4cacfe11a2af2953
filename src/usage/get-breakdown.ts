import { z } from 'zod';
import type { InTransaction, Tx } from '#database/index.ts';
import { operation, toInvalidInput, type Caller } from '#kit/index.ts';
import { dashboardFilters, range, showRange, toRange, toRangeBefore, type Range } from './dashboard-query.ts';
import { figures } from './figures.ts';
import { assertRange, noFigures, type DashboardDeps } from './get-summary.ts';
import { readFigures, type KeyedFigures } from './read-figures.ts';

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
    const asked = toRange({ from, to }, clock.now());
    assertRange(asked, null);
    const fault = findFault(by, filters);
    if (fault) {
      throw toInvalidInput([fault]);
    }
    const read = (one: Range) => readFigures(tx, { range: one, filters, by, timeZone: 'UTC' });
    const earlier = toRangeBefore(asked);
    const [found, before] = [await read(asked), await read(earlier)];
    const items = sortByRevenue(found)
      .slice(0, limit)
      .map(([key, one]) => ({ ...one, ...toNames(by, key), before: before.get(key) ?? noFigures }));
    return { range: showRange(asked), rangeBefore: showRange(earlier), by, total: found.size, items };
  },
});

function findFault(by: (typeof keys)[number], filters: { payer?: unknown; version?: unknown; model?: unknown }) {
  const isOfPayers = by === 'payer' || filters.payer !== undefined;
  if (isOfPayers && (by === 'version' || by === 'model')) {
    return { path: '/by', message: 'The calls of one payer are told apart by resource only' };
  }
  return isOfPayers && (filters.version !== undefined || filters.model !== undefined)
    ? { path: '/payer', message: 'Payers are told apart by resource, not by version or model' }
    : null;
}

function sortByRevenue(found: KeyedFigures) {
  return [...found].sort(
    ([keyA, a], [keyB, b]) =>
      Number(b.revenueUsdc) - Number(a.revenueUsdc) || b.calls - a.calls || (keyA < keyB ? -1 : 1),
  );
}

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

const problemsOutput = z.object({
  range,
  rangeBefore: range,
  items: z.array(z.object({ problem: z.string(), calls: z.int(), callsBefore: z.int() })),
});

export const listProblems = operation({
  name: 'usage.problems',
  route: 'GET /api/usage/problems',
  summary: 'Why calls of your resources were not answered, the most frequent problem first. Days are those of UTC.',
  scope: 'usage:read',
  input: dashboardFilters.pick({ from: true, to: true, resourceId: true }),
  output: problemsOutput,
  run: async ({ tx, clock }: DashboardDeps & InTransaction, _caller: Caller, { resourceId, ...given }) => {
    const asked = toRange(given, clock.now());
    assertRange(asked, null);
    const earlier = toRangeBefore(asked);
    const [found, before] = [await countProblems(tx, asked, resourceId), await countProblems(tx, earlier, resourceId)];
    const items = [...found]
      .map(([problem, calls]) => ({ problem, calls, callsBefore: before.get(problem) ?? 0 }))
      .sort((a, b) => b.calls - a.calls || (a.problem < b.problem ? -1 : 1));
    return { range: showRange(asked), rangeBefore: showRange(earlier), items };
  },
});

async function countProblems(tx: Tx, { from, to }: Range, resourceId = ''): Promise<Map<string, number>> {
  const inDays = `day >= ($1::timestamptz AT TIME ZONE 'UTC')::date AND day <= (($2::timestamptz - interval '1 second') AT TIME ZONE 'UTC')::date`;
  const { rows } = await tx.query<{ problem: string; calls: string }>(
    `SELECT problem, sum(calls)::text AS calls FROM (
       SELECT problem, calls FROM usage_problems WHERE owner_id = app_user_id() AND ${inDays} AND ($3::uuid IS NULL OR resource_id = $3)
       UNION ALL
       SELECT problem, sign FROM usage_waiting WHERE owner_id = app_user_id() AND problem IS NOT NULL AND ${inDays} AND ($3::uuid IS NULL OR resource_id = $3)) AS all_of_them
     GROUP BY problem HAVING sum(calls) > 0`,
    [from, to, resourceId === '' ? null : resourceId],
  );
  return new Map(rows.map(({ problem, calls }) => [problem, Number(calls)]));
}
