import type { Tx } from '#database/index.ts';
import { ALL_RESOURCES, summed, sums as changed } from './close-hours.ts';
import type { Range } from './dashboard-query.ts';
import { toFigures, type BucketRow, type Figures, type SumRow } from './figures.ts';

export type Grouping = 'all' | 'resource' | 'version' | 'model' | 'payer' | 'hour' | 'day';

interface Filters {
  resourceId?: string | undefined;
  version?: number | undefined;
  model?: string | undefined;
  payer?: string | undefined;
}

export interface FiguresQuery {
  range: Range;
  filters: Filters;
  by: Grouping;
  /** IANA. What is counted by the day alone (payers, latencies of versions and models) has the days of UTC. */
  timeZone: string;
  /** Of payers: the first of those that earned most. */
  limit?: number;
  /** Of payers: these alone. */
  only?: readonly string[];
}

/** Of rows with an hour. $6: the time zone. */
const hourKeys: Record<Exclude<Grouping, 'payer'>, string> = {
  all: `''`,
  resource: 'resource_id::text',
  version: `resource_id || '/' || version`,
  model: 'model',
  hour: 'hour',
  day: '(hour AT TIME ZONE $6)::date',
};
/** Of rows with a day only. */
const dayKeys: Partial<Record<Grouping, string>> = { ...hourKeys, payer: 'payer', day: 'day' };
/** Times become text once they are few. */
const toText: Partial<Record<Grouping, string>> = {
  hour: `to_char(key AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24":00:00.000Z"') AS key`,
  day: `to_char(key, 'YYYY-MM-DD') AS key`,
};

const own = 'owner_id = app_user_id()';
const inRange = 'hour >= $1 AND hour < $2';
/** The days, by UTC, that $1 to $2 touches. */
export const inDays = `day >= ($1::timestamptz AT TIME ZONE 'UTC')::date
  AND day <= (($2::timestamptz - interval '1 second') AT TIME ZONE 'UTC')::date`;
const ofResource = '($3::uuid IS NULL OR resource_id = $3)';
const ofVersion = `${ofResource} AND ($4::int IS NULL OR version = $4) AND ($5::text IS NULL OR model = $5)`;
const ofPayer = '($4::text IS NULL OR payer = $4)';
/** The rows of one resource, or those that stand for all of them. */
const ofOneOrAll = `resource_id = coalesce($3::uuid, '${ALL_RESOURCES}')`;
/** Every statement is given the same parameters, whichever of them it uses. */
const typed = `$1::timestamptz <= $2::timestamptz AND ($4::int IS NULL OR true) AND ($5::text IS NULL OR true) AND $6::text <> ''`;
const totals = summed.map((name) => `coalesce(sum(${name}), 0)::text AS ${name}`).join(', ');

export type KeyedFigures = ReadonlyMap<string, Figures & { lastCalledAt: string | null }> & {
  /** How many there are, also where only some were asked for. */
  readonly total: number;
};

/**
 * What `tx`'s user has sold in the range, by the key of the grouping: an id, `id/version`, a model, an address, a time. What
 * waits to be added up counts as well, so figures are the same before and after.
 */
export async function readFigures(tx: Tx, query: FiguresQuery): Promise<KeyedFigures> {
  const { by, filters } = query;
  return by === 'payer' || filters.payer !== undefined ? readByPayers(tx, query) : readByHours(tx, { ...query, by });
}

type HourQuery = FiguresQuery & { by: Exclude<Grouping, 'payer'> };

async function readByHours(tx: Tx, query: HourQuery): Promise<KeyedFigures> {
  const { resourceId = null, version = null, model = null } = query.filters;
  const values = [query.range.from, query.range.to, resourceId, version, model, query.timeZone];
  const sums = await tx.query<SumRow & { key: string }>(toSumsSql(query), values);
  const bucketsSql = toBucketsSql(query);
  const buckets = bucketsSql === null ? [] : (await tx.query<BucketRow & { key: string }>(bucketsSql, values)).rows;
  const bucketsOf = Map.groupBy(buckets, ({ key }) => key);
  const payers = await countPayers(tx, query);
  const toOne = ({ key, ...row }: SumRow & { key: string }) =>
    toFigures({ sums: row, buckets: bucketsOf.get(key) ?? [], payers: payers && (payers.get(key) ?? 0) });
  const figures = new Map(sums.rows.map((row) => [row.key, { ...toOne(row), lastCalledAt: null }]));
  return Object.assign(figures, { total: figures.size });
}

/** Are the rows that tell versions and models apart not needed? */
function isCoarse({ by, filters }: HourQuery): boolean {
  return ['all', 'hour', 'day'].includes(by) && filters.version === undefined && filters.model === undefined;
}

function toSumsSql(query: HourQuery): string {
  const key = hourKeys[query.by];
  const isOfAll = isCoarse(query) && query.filters.resourceId === undefined;
  const shown = toText[query.by] ?? 'key';
  const which = isOfAll ? `resource_id = '${ALL_RESOURCES}'` : `resource_id <> '${ALL_RESOURCES}' AND ${ofVersion}`;
  return `SELECT ${shown}, ${totals} FROM (
    SELECT ${key} AS key, ${summed.join(', ')} FROM usage_hours WHERE ${own} AND ${inRange} AND ${which} AND ${typed}
    UNION ALL
    SELECT ${key}, ${changed} FROM usage_waiting WHERE ${own} AND ${inRange} AND ${ofVersion} GROUP BY 1) AS counted
  GROUP BY key`;
}

/** Null where latencies are not told apart in this way. */
function toBucketsSql(query: HourQuery): string | null {
  const { by, timeZone } = query;
  const shown = toText[by] ?? 'key';
  if (isCoarse(query)) {
    const rows = `SELECT ${hourKeys[by]} AS key, bucket, answers, first_outputs FROM usage_hour_latencies
      WHERE ${own} AND ${ofOneOrAll} AND ${inRange} AND ${typed}`;
    return sumBuckets(
      shown,
      rows,
      `SELECT ${hourKeys[by]} AS key, * FROM usage_waiting WHERE ${own} AND ${inRange} AND ${ofResource}`,
    );
  }
  const key = dayKeys[by];
  if (by === 'hour' || key === undefined || (by === 'day' && timeZone !== 'UTC')) {
    return null;
  }
  const rows = `SELECT ${key} AS key, bucket, answers, first_outputs FROM usage_day_latencies
    WHERE ${own} AND ${inDays} AND ${ofVersion} AND ${typed}`;
  return sumBuckets(
    shown,
    rows,
    `SELECT ${key} AS key, * FROM usage_waiting WHERE ${own} AND ${inDays} AND ${ofVersion}`,
  );
}

function sumBuckets(shown: string, rows: string, waiting: string): string {
  return `WITH waiting AS (${waiting})
    SELECT ${shown}, bucket, sum(answers)::text AS answers, sum(first_outputs)::text AS first_outputs FROM (
      ${rows}
      UNION ALL
      SELECT key, latency_bucket(latency_ms), sign, 0 FROM waiting WHERE latency_ms IS NOT NULL
      UNION ALL
      SELECT key, latency_bucket(first_output_ms), 0, sign FROM waiting WHERE first_output_ms IS NOT NULL) AS counted
    GROUP BY key, bucket`;
}

/** A wallet counts where it has paid something. Null where wallets are not told apart in this way. */
async function countPayers(tx: Tx, { range, filters, by, timeZone }: HourQuery): Promise<Map<string, number> | null> {
  const isByDay = by === 'day' && timeZone === 'UTC';
  if ((by !== 'all' && !isByDay) || filters.version !== undefined || filters.model !== undefined) {
    return null;
  }
  const values = [range.from, range.to, filters.resourceId ?? null];
  const { rows } = await tx.query<{ key: string; payers: number }>(isByDay ? payersByDay : payersOfAll, values);
  return new Map(rows.map((row) => [row.key, row.payers]));
}

const paidRows = `FROM usage_payers WHERE ${own} AND ${ofOneOrAll} AND ${inDays} AND earned_atomic > 0`;
const paidWaiting = `FROM usage_waiting
  WHERE ${own} AND payer IS NOT NULL AND earned_atomic > 0 AND sign > 0 AND ${inDays} AND ${ofResource}`;

const payersOfAll = `SELECT '' AS key, count(*)::int AS payers FROM (
  SELECT payer ${paidRows} UNION SELECT payer ${paidWaiting}) AS wallets`;

/** A wallet has one row a day, so only those that wait have to be told apart. */
const payersByDay = `SELECT to_char(day, 'YYYY-MM-DD') AS key, sum(payers)::int AS payers FROM (
  SELECT day, count(*) AS payers ${paidRows} GROUP BY day
  UNION ALL
  SELECT day, count(*) FROM (
    SELECT DISTINCT day, payer ${paidWaiting}) AS waiting
  WHERE NOT EXISTS (SELECT ${paidRows} AND usage_payers.day = waiting.day AND usage_payers.payer = waiting.payer)
  GROUP BY day) AS counted
GROUP BY day`;

async function readByPayers(tx: Tx, { range, filters, by, limit, only }: FiguresQuery): Promise<KeyedFigures> {
  const key = dayKeys[by];
  const rowsOf = by === 'resource' ? `resource_id <> '${ALL_RESOURCES}' AND ${ofResource}` : ofOneOrAll;
  const { rows } = await tx.query<SumRow & { key: string; last_called_at: Date; total: number }>(
    `SELECT ${toText[by] ?? 'key'}, ${totals}, max(last_called_at) AS last_called_at,
       count(*) OVER ()::int AS total FROM (
       SELECT ${key} AS key, ${summed.join(', ')}, last_called_at FROM usage_payers
       WHERE ${own} AND ${rowsOf} AND ${inDays} AND ${ofPayer}
       UNION ALL
       SELECT ${key}, ${changed}, max(at) FROM usage_waiting
       WHERE ${own} AND payer IS NOT NULL AND ${inDays} AND ${ofResource} AND ${ofPayer} GROUP BY 1) AS counted
     WHERE $6::text[] IS NULL OR key::text = ANY ($6)
     GROUP BY key
     ORDER BY sum(earned_atomic) DESC, sum(successes) + sum(failures) DESC, 1 LIMIT $5`,
    [range.from, range.to, filters.resourceId ?? null, filters.payer ?? null, limit ?? null, only ?? null],
  );
  const figures = new Map(
    rows.map(({ key: name, last_called_at: lastCalledAt, ...sums }) => [
      name,
      { ...toFigures({ sums, buckets: [], payers: null }), lastCalledAt: lastCalledAt.toISOString() },
    ]),
  );
  return Object.assign(figures, { total: rows[0]?.total ?? 0 });
}
