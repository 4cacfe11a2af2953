import { z } from 'zod';
import type { InTransaction, Tx } from '#database/index.ts';
import { operation, type Caller } from '#kit/index.ts';
import { dashboardFilters, range, showRange, toDays, toRange, toRangeBefore, type Range } from './dashboard-query.ts';
import { own } from './figure-rows.ts';
import { assertAnswerable, type DashboardDeps } from './get-summary.ts';

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
    const hours = toRange(given, clock.now());
    assertAnswerable(hours, null, {});
    const asked = toDays(hours);
    const earlier = toRangeBefore(asked);
    const [found, before] = [await countProblems(tx, asked, resourceId), await countProblems(tx, earlier, resourceId)];
    const items = [...found]
      .map(([problem, calls]) => ({ problem, calls, callsBefore: before.get(problem) ?? 0 }))
      .sort((a, b) => b.calls - a.calls || (a.problem < b.problem ? -1 : 1));
    return { range: showRange(asked), rangeBefore: showRange(earlier), items };
  },
});

/** $1 and $2 are whole days in UTC. */
const inDays = `day >= ($1::timestamptz AT TIME ZONE 'UTC')::date AND day < ($2::timestamptz AT TIME ZONE 'UTC')::date`;

async function countProblems(tx: Tx, { from, to }: Range, resourceId = ''): Promise<Map<string, number>> {
  const { rows } = await tx.query<{ problem: string; calls: string }>(
    `SELECT problem, sum(calls)::text AS calls FROM (
       SELECT problem, calls FROM usage_problems WHERE ${own} AND ${inDays} AND ($3::uuid IS NULL OR resource_id = $3)
       UNION ALL
       SELECT problem, sign FROM usage_waiting WHERE ${own} AND problem IS NOT NULL AND ${inDays} AND ($3::uuid IS NULL OR resource_id = $3)) AS all_of_them
     GROUP BY problem HAVING sum(calls) > 0`,
    [from, to, resourceId === '' ? null : resourceId],
  );
  return new Map(rows.map(({ problem, calls }) => [problem, Number(calls)]));
}
