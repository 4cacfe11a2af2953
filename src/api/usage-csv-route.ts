import { Readable } from 'node:stream';
import { explainIssue } from '#kit/index.ts';
import { usageFilters } from '#usage/index.ts';
import type { Route } from './mount-routes.ts';
import { assertScope, assertSignedIn } from './operation-door.ts';
import { toInvalidInput } from './problem.ts';
import { readInput } from './read-input.ts';
import type { AppOptions } from './server-options.ts';
import { takeUnit } from './take-unit.ts';

const rule = { scope: 'usage:read' } as const;

/** The usage log as a file, streamed. A failure on the way breaks the connection, so that half a file never looks whole. */
export function usageCsvRoutes(options: AppOptions): Route[] {
  return [
    {
      method: 'GET',
      pattern: '/api/usage.csv',
      handle: async (c) => {
        await takeUnit(c, options.limits?.api);
        const caller = await options.authenticate(c.req.raw.headers);
        assertSignedIn(rule, caller);
        assertScope(rule, caller);
        const filters = usageFilters.strict().safeParse(await readInput(c), { error: explainIssue });
        if (!filters.success) {
          throw toInvalidInput(filters.error);
        }
        c.header('Content-Type', 'text/csv; charset=utf-8; header=present');
        c.header('Content-Disposition', 'attachment; filename="farebox-usage.csv"');
        if (c.req.method === 'HEAD') {
          return c.body(null);
        }
        const csv = options.usageCsv(caller, filters.data);
        csv.on('error', (error) => {
          options.log.error({ err: error, requestId: c.get('requestId') }, 'the usage log could not be streamed');
        });
        return c.body(Readable.toWeb(csv) as ReadableStream<Uint8Array>);
      },
    },
  ];
}
