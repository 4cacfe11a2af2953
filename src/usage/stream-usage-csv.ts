import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify';
import type { Caller } from '#kit/index.ts';
import { findCalls, getReader, loggedCall, type LoggedCall, type Position } from './find-calls.ts';
import type { UsageDeps } from './list-usage.ts';
import type { UsageFilters } from './usage-filters.ts';

const PAGE = 1000;
const columns = Object.keys(loggedCall.shape);
/** Decimals written by us: a leading minus is a number, not a formula. */
const decimals = new Set(['earnedUsdc', 'costUsd', 'marginUsd']);

/**
 * The creator's log as CSV (RFC 4180, UTF-8, header first), read page by page as fast as the reader takes it.
 * Text that a spreadsheet would run as a formula is written with a leading apostrophe.
 */
export function streamUsageCsv(deps: UsageDeps, caller: Caller, filters: UsageFilters): Readable {
  const userId = getReader(caller);
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
