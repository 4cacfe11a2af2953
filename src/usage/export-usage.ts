import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify';
import type { Database } from '#database/index.ts';
import { assertUser, fileOutput, operation, type Caller } from '#kit/index.ts';
import { findCalls, loggedCall, type LoggedCall, type Position } from './find-calls.ts';
import { usageFilters, type UsageFilters } from './usage-filters.ts';

interface UsageDeps {
  database: Database;
}

const PAGE = 1000;
const columns = Object.keys(loggedCall.shape);
/** Decimals written by us: a leading minus is a number, not a formula. */
const decimals = new Set([
  'earnedUsdc',
  'costUsd',
  'expectedCostUsd',
  'worstCostUsd',
  'platformCostUsd',
  'marginUsd',
  'measuredUsdc',
]);

/**
 * The creator's log as CSV (RFC 4180, UTF-8, header first), read page by page as fast as the reader takes it. Each page is
 * a transaction of its own: one for the whole file would last as long as the slowest reader, and hold a connection.
 * Text that a spreadsheet would run as a formula is written with a leading apostrophe.
 */
export const exportUsage = operation({
  name: 'usage.export',
  route: 'GET /api/usage.csv',
  summary: 'The usage log as CSV, newest first, with the filters of /api/usage.',
  scope: 'usage:read',
  input: usageFilters,
  output: fileOutput,
  file: { contentType: 'text/csv; charset=utf-8; header=present', fileName: 'farebox-usage.csv' },
  run: async (deps: UsageDeps, caller: Caller, filters) => {
    assertUser(caller);
    return streamCsv(deps, caller.userId, filters);
  },
});

function streamCsv(deps: UsageDeps, userId: string, filters: UsageFilters): Readable {
  const csv = stringify({
    header: true,
    columns,
    record_delimiter: '\r\n',
    escape_formulas: true,
    cast: {
      boolean: String,
      object: (value) => JSON.stringify(value),
      string: (value, context) =>
        decimals.has(String(context.column)) ? { value, escape_formulas: false } : value.trim(),
    },
  });
  const rows = Readable.from(readAll(deps, userId, filters));
  rows.on('error', (error) => csv.destroy(error));
  csv.on('close', () => rows.destroy());
  return rows.pipe(csv);
}

async function* readAll(deps: UsageDeps, userId: string, filters: UsageFilters): AsyncGenerator<LoggedCall> {
  let after: Position | null = null;
  for (;;) {
    const query = { filters, after, limit: PAGE };
    const calls: LoggedCall[] = await deps.database.asUser(userId, (tx) => findCalls(tx, query));
    yield* calls;
    const last = calls.at(-1);
    if (!last || calls.length < PAGE) {
      return;
    }
    after = last;
  }
}
