import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, type Caller } from '#kit/index.ts';
import { dashboardFilters, range, showRange, toDays, toRange, type Range } from './dashboard-query.ts';
import { figures } from './figures.ts';
import { assertAnswerable, noFigures, type DashboardDeps } from './get-summary.ts';
import { readFigures } from './read-figures.ts';

const timeZone = z
  .string()
  .max(60)
  .refine(isTimeZone, 'Expected UTC or an IANA time zone with its region, such as "Europe/Vienna"')
  .default('UTC')
  .describe('Whose days. They are put together from whole hours of UTC.');

export const getSeries = operation({
  name: 'usage.series',
  route: 'GET /api/usage/series',
  summary: 'The same by the hour or by the day, also where nothing was called.',
  scope: 'usage:read',
  input: dashboardFilters.extend({ interval: z.enum(['hour', 'day']).default('day'), timeZone }),
  output: z.object({
    range,
    interval: z.enum(['hour', 'day']),
    timeZone: z.string(),
    items: z.array(figures.extend({ at: z.string().describe('An hour in UTC, or a day of the time zone') })),
  }),
  run: async ({ tx, clock }: DashboardDeps & InTransaction, _caller: Caller, { from, to, interval, ...given }) => {
    const hours = toRange({ from, to }, clock.now());
    const { timeZone: zone, ...filters } = given;
    assertAnswerable(hours, interval, { by: interval, timeZone: zone, ...filters });
    const asked = filters.payer === undefined ? hours : toDays(hours);
    const found = await readFigures(tx, { range: asked, filters, by: interval, timeZone: zone });
    const times = interval === 'hour' ? listHours(asked) : listDays(asked, zone);
    const items = times.map((at) => ({ ...(found.get(at) ?? noFigures), at }));
    return { range: showRange(asked), interval, timeZone: zone, items };
  },
});

function listHours({ from, to }: Range): string[] {
  const hours = (to.getTime() - from.getTime()) / 3_600_000;
  return Array.from({ length: hours }, (_, index) => new Date(from.getTime() + index * 3_600_000).toISOString());
}

/** The days that hours of the range fall into. */
function listDays(asked: Range, zone: string): string[] {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  return [...new Set(listHours(asked).map((hour) => format.format(new Date(hour))))];
}

/** Offsets and abbreviations are read differently by PostgreSQL, which cuts the days. */
function isTimeZone(name: string): boolean {
  try {
    return (
      /^(UTC|[A-Z][A-Za-z_]+\/[A-Za-z0-9_+/-]+)$/.test(name) &&
      new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
    );
  } catch {
    return false;
  }
}
