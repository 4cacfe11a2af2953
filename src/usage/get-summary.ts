import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, toInvalidInput, type Caller, type Clock } from '#kit/index.ts';
import {
  dashboardFilters,
  findFilterFault,
  findRangeFault,
  range,
  showRange,
  toDays,
  toRange,
  toRangeBefore,
} from './dashboard-query.ts';
import { figures, toFigures } from './figures.ts';
import { readFigures } from './read-figures.ts';

export interface DashboardDeps {
  clock: Clock;
}

export const getSummary = operation({
  name: 'usage.summary',
  route: 'GET /api/usage/summary',
  summary:
    'What your resources earned and cost in a range, how often and how fast they answered; and the range before.',
  scope: 'usage:read',
  input: dashboardFilters,
  output: z.object({ range, current: figures, rangeBefore: range, before: figures }),
  run: async ({ tx, clock }: DashboardDeps & InTransaction, _caller: Caller, { from, to, ...filters }) => {
    const hours = toRange({ from, to }, clock.now());
    assertAnswerable(hours, null, filters);
    const asked = filters.payer === undefined ? hours : toDays(hours);
    const earlier = toRangeBefore(asked);
    const [current, before] = [await read(asked), await read(earlier)];
    return { range: showRange(asked), current, rangeBefore: showRange(earlier), before };

    async function read(one: typeof asked) {
      const all = await readFigures(tx, { range: one, filters, by: 'all', timeZone: 'UTC' });
      return all.get('') ?? noFigures;
    }
  },
});

export const noFigures = toFigures({ sums: undefined, histograms: undefined, payers: 0 });

/** Throws `invalid_input`. */
export function assertAnswerable(
  asked: ReturnType<typeof toRange>,
  interval: 'hour' | 'day' | null,
  told: Parameters<typeof findFilterFault>[0],
): void {
  const fault = findRangeFault(asked, interval) ?? findFilterFault(told);
  if (fault) {
    throw toInvalidInput([fault]);
  }
}
