import { scopes, type User } from '#kit/index.ts';
import type { Database } from '#database/index.ts';
import type { getBreakdown, getSeries, getSummary, listProblems } from '#usage/index.ts';
import type { z } from 'zod';
import { perform } from './perform.ts';

const nowMs = Date.parse('2026-11-21T12:30:00.000Z');
const deps = { clock: { now: () => nowMs } };
/** The range that is asked for where nothing else is said. */
export const from = '2026-11-14T00:00:00.000Z';
export const to = '2026-11-21T00:00:00.000Z';

const toUser = (userId: string): User => ({
  kind: 'user',
  userId,
  username: userId,
  email: `${userId}@example.com`,
  isAdmin: false,
  via: 'session',
  scopes,
});

type Figures = z.output<(typeof getSummary)['output']>['current'];

/** What any of the questions answers. */
export interface Told {
  current: Figures;
  before: Figures;
  items: (Figures & {
    at: string;
    resourceId: string;
    version: number;
    model: string;
    payer: string;
    lastCalledAt: string;
    before: Figures;
  })[];
  total: number;
}

/** One of the questions of dashboards, from a creator. */
export async function askDashboards(
  declared: typeof getSummary | typeof getSeries | typeof getBreakdown | typeof listProblems,
  [database, userId]: [Database, string],
  input: object,
): Promise<Told> {
  const place: [typeof deps, User, Database] = [deps, toUser(userId), database];
  const answered: unknown = await perform(declared as typeof getSummary, place, { from, to, ...input });
  return answered as Told;
}
