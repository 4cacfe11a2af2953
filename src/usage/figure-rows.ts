import type { Range } from './dashboard-query.ts';
import { ALL_RESOURCES } from './places.ts';

export type Grouping = 'all' | 'resource' | 'version' | 'model' | 'payer' | 'hour' | 'day';

export interface FiguresQuery {
  /** Whole days in UTC where payers are asked for. */
  range: Range;
  filters: {
    resourceId?: string | undefined;
    version?: number | undefined;
    model?: string | undefined;
    payer?: string | undefined;
  };
  by: Grouping;
  /** IANA. */
  timeZone: string;
  /** The first of those that earned most. */
  limit?: number;
  /** These keys alone. */
  only?: readonly string[];
}

/** The rows that answer a question, as pieces of one SQL statement. */
export interface FigureRows {
  /** A select of `key` and these columns from what is added up: from sums, or sets of those who have paid. `ofDay`: what holds for their days in UTC. */
  from(tables: 'sums' | 'payers', columns: string, ofDay?: string): string;
  /** Which rows of `usage_waiting`, or of what has its columns. */
  waiting: string;
  /** Of rows with an hour. */
  hourKey: string;
  /** As text, once they are few. */
  shownKey: string;
  /** `WHERE` for the keys that are asked for. */
  ofKeys: string;
  values: unknown[];
}

const DAY_MS = 86_400_000;
export const own = 'owner_id = (SELECT app_user_id())';

type Put = (value: unknown, type: string) => string;

export function toRows(query: FiguresQuery): FigureRows {
  const values: unknown[] = [];
  const put: Put = (value, type) => `$${values.push(value)}::${type}`;
  const { by, range, only, filters, timeZone } = query;
  const keys = toKeys(by, by === 'day' ? put(timeZone, 'text') : '');
  const isOfPayers = by === 'payer' || filters.payer !== undefined;
  const payers = isOfPayers ? toPayersTable(query) : null;
  const asked = toConditions(filters, put);
  const spans = isOfPayers ? [{ unit: 'day' as const, ...range }] : toSpans(query);
  const which = [own, ...(isOfPayers ? [] : [toPlace(query)]), ...asked].join(' AND ');
  const cuts = spans.map(({ unit, from, to }) => ({
    unit,
    where: `${unit} >= ${put(toTime(unit, from), types[unit])} AND ${unit} < ${put(toTime(unit, to), types[unit])} AND ${which}`,
  }));
  const between = `at >= ${put(range.from, 'timestamptz')} AND at < ${put(range.to, 'timestamptz')}`;
  return {
    from: (tables, columns, ofDay) =>
      cuts
        .map(
          ({ unit, where }) =>
            `SELECT ${keys[unit]} AS key, ${columns} ${payers ?? sources[tables][unit]} WHERE ${where}${ofDay === undefined ? '' : ` AND ${days[unit]} ${ofDay}`}`,
        )
        .join(' UNION ALL '),
    waiting: [own, between, ...asked, ...(isOfPayers ? ['payer IS NOT NULL'] : [])].join(' AND '),
    hourKey: keys.hour,
    shownKey: `${shown[by] ?? 'key'} AS key`,
    ofKeys: only ? `WHERE key = ANY (${put(only, 'text[]')})` : '',
    values,
  };
}

const days = { hour: `(hour AT TIME ZONE 'UTC')::date`, day: 'day' };
const types = { hour: 'timestamptz', day: 'date' };
const sources = {
  sums: { hour: 'FROM usage_hours', day: 'FROM usage_days' },
  payers: { hour: 'FROM usage_hour_payers', day: 'FROM usage_day_payers' },
};
const shown: Partial<Record<Grouping, string>> = {
  hour: `to_char(key AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24":00:00.000Z"')`,
  day: `to_char(key, 'YYYY-MM-DD')`,
};

function toKeys(by: Grouping, timeZone: string): { hour: string; day: string } {
  const same = (key: string) => ({ hour: key, day: key });
  switch (by) {
    case 'all':
      return same(`''`);
    case 'resource':
      return same('resource_id::text');
    case 'version':
      return same(`resource_id || '/' || version`);
    case 'day':
      return { hour: `(hour AT TIME ZONE ${timeZone})::date`, day: 'day' };
    default:
      return same(by);
  }
}

function toConditions({ resourceId, version, model, payer }: FiguresQuery['filters'], put: Put): string[] {
  return [
    resourceId === undefined ? '' : `resource_id = ${put(resourceId, 'uuid')}`,
    version === undefined ? '' : `version = ${put(version, 'int')}`,
    model === undefined ? '' : `model = ${put(model, 'text')}`,
    payer === undefined ? '' : `payer = ${put(payer, 'text')}`,
  ].filter((condition) => condition !== '');
}

/** One row a payer and day where nothing else is told apart. */
function toPayersTable({ by, filters: { resourceId, version, model } }: FiguresQuery): string {
  const isOfCells = [resourceId, version, model].some((one) => one !== undefined);
  return isOfCells || by === 'resource' || by === 'version' || by === 'model'
    ? 'FROM usage_payers'
    : 'FROM usage_payer_days';
}

/** The rows of cells, or those that stand for all resources. */
function toPlace({ by, filters: { resourceId, version, model } }: FiguresQuery): string {
  const isOfAll = resourceId === undefined && version === undefined && by !== 'resource' && by !== 'version';
  const isOfModels = model !== undefined || by === 'model';
  return isOfAll
    ? `resource_id = '${ALL_RESOURCES}' AND version = ${isOfModels ? -1 : 0}`
    : `resource_id <> '${ALL_RESOURCES}'`;
}

/** Whole days of UTC where there are any and the grouping has them, hours for the rest. */
function toSpans({ range: { from, to }, by, timeZone }: FiguresQuery): ({ unit: 'hour' | 'day' } & Range)[] {
  const first = new Date(Math.ceil(from.getTime() / DAY_MS) * DAY_MS);
  const last = new Date(Math.floor(to.getTime() / DAY_MS) * DAY_MS);
  if (by === 'hour' || (by === 'day' && timeZone !== 'UTC') || first >= last) {
    return [{ unit: 'hour', from, to }];
  }
  const spans = [
    { unit: 'hour' as const, from, to: first },
    { unit: 'day' as const, from: first, to: last },
    { unit: 'hour' as const, from: last, to },
  ];
  return spans.filter((span) => span.from < span.to);
}

function toTime(unit: 'hour' | 'day', time: Date): Date | string {
  return unit === 'hour' ? time : time.toISOString().slice(0, 10);
}
