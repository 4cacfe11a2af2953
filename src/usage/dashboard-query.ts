import { z } from 'zod';
import { usageFilters } from './usage-filters.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MAX_DAYS = 400;
/** Of times whose dates have four digits for every reader, also in the range before. */
const YEARS = { first: 2000, last: 9998 };

/** What a creator may ask of the sums: a range in whole hours, and which calls. */
export const dashboardFilters = z.object({
  from: z.iso.datetime({ offset: true }).optional().describe('30 days before "to" unless told. Begins with its hour.'),
  to: z.iso.datetime({ offset: true }).optional().describe('Now unless told. Ends with its hour.'),
  resourceId: z.uuid().optional(),
  version: z.coerce.number().int().min(0).max(999_999_999).optional().describe('Of the resource, which is told too.'),
  model: z
    .string()
    .max(300)
    .optional()
    .describe(
      'As the catalogue calls it: `openai/gpt-4o-mini`. What it does not know counts as its upstream calls it.',
    ),
  payer: usageFilters.shape.payer.describe(
    'One payer’s calls are counted by the day in UTC: the range becomes the days that it touches.',
  ),
});

export const range = z.object({ from: z.string(), to: z.string() });

export interface Range {
  from: Date;
  to: Date;
}

type Given = z.output<typeof dashboardFilters>;

export function toRange({ from, to }: Pick<Given, 'from' | 'to'>, nowMs: number): Range {
  const end = Math.ceil((to === undefined ? nowMs + 1 : Date.parse(to)) / HOUR_MS) * HOUR_MS;
  const begin = from === undefined ? end - 30 * DAY_MS : Math.floor(Date.parse(from) / HOUR_MS) * HOUR_MS;
  return { from: new Date(begin), to: new Date(end) };
}

/** The whole days, in UTC, that it touches: what is counted by the day has no finer range. */
export function toDays({ from, to }: Range): Range {
  const day = (ms: number): Date => new Date(ms * DAY_MS);
  return { from: day(Math.floor(from.getTime() / DAY_MS)), to: day(Math.ceil(to.getTime() / DAY_MS)) };
}

/** As long, and just before. */
export function toRangeBefore({ from, to }: Range): Range {
  return { from: new Date(2 * from.getTime() - to.getTime()), to: from };
}

export function showRange({ from, to }: Range): z.input<typeof range> {
  return { from: from.toISOString(), to: to.toISOString() };
}

/** Why the range cannot be answered; null where it can. */
export function findRangeFault(
  asked: Range,
  interval: 'hour' | 'day' | null,
): { path: string; message: string } | null {
  for (const end of ['from', 'to'] as const) {
    const year = asked[end].getUTCFullYear();
    if (year < YEARS.first || year > YEARS.last) {
      return { path: `/${end}`, message: `Expected a time in the years ${YEARS.first} to ${YEARS.last}` };
    }
  }
  const days = (asked.to.getTime() - asked.from.getTime()) / DAY_MS;
  if (days <= 0) {
    return { path: '/to', message: 'Expected a time after "from"' };
  }
  if (days > MAX_DAYS) {
    return { path: '/from', message: `A range has at most ${MAX_DAYS} days` };
  }
  return interval === 'hour' && days > 31
    ? { path: '/interval', message: 'By the hour a range has at most 31 days; ask by the day' }
    : null;
}

interface Told {
  by?: string;
  timeZone?: string;
  resourceId?: string | undefined;
  version?: number | undefined;
  model?: string | undefined;
  payer?: string | undefined;
}

/** What the sums cannot tell, with why and what to ask instead; null where they can (docs/decisions/0038). */
export function findFilterFault(told: Told): { path: string; message: string } | null {
  const { by, timeZone, resourceId, version, model, payer } = told;
  if (version !== undefined && resourceId === undefined) {
    return { path: '/version', message: 'A version is one of a resource: give resourceId too' };
  }
  if (by === 'payer' && model !== undefined && resourceId === undefined && payer === undefined) {
    return { path: '/model', message: 'The payers of a model are told apart within one resource: give resourceId too' };
  }
  if (payer !== undefined && by === 'hour') {
    return {
      path: '/interval',
      message: 'The calls of one payer are counted by the day, not by the hour: ask by the day',
    };
  }
  return payer !== undefined && timeZone !== undefined && timeZone !== 'UTC'
    ? { path: '/timeZone', message: 'The calls of one payer are counted by the days of UTC: leave timeZone out' }
    : null;
}
