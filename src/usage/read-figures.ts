import type { Tx } from '#database/index.ts';
import { allCalls, calls, firstOutputEntry, latencyEntry, summed, sums as changed } from './close-hours.ts';
import { countPayers } from './count-payers.ts';
import { toRows, type FiguresQuery } from './figure-rows.ts';
import { toFigures, type Figures, type HistogramRow, type SumRow } from './figures.ts';

export type KeyedFigures = ReadonlyMap<string, Figures & { lastCalledAt: string | null }> & {
  /** How many there are, also where only some were asked for. */
  readonly total: number;
};

type Keyed<Row> = Row & { key: string };

/**
 * What `tx`'s user has sold in the range, by the key of the grouping: an id, `id/version`, a model, an address, a time; those
 * that earned most first. What waits to be added up counts as well, so figures are the same before and after.
 */
export async function readFigures(tx: Tx, query: FiguresQuery): Promise<KeyedFigures> {
  const isOfPayers = query.by === 'payer' || query.filters.payer !== undefined;
  const ranked = query.by === 'payer' && query.only === undefined ? await rankPayers(tx, query) : null;
  const sums = await readSums(tx, ranked ? { ...query, only: ranked.keys } : query, isOfPayers);
  const keys = sums.map(({ key }) => key);
  const found = query.limit === undefined && query.only === undefined ? query : { ...query, only: keys };
  const histograms = await readHistograms(tx, found);
  const payers = isOfPayers ? null : await countPayers(tx, found);
  const figures = new Map(
    sums.map(({ key, last_called_at: lastCalledAt, ...row }) => {
      // One payer's calls: it has paid, or it has not.
      const paying = payers ? (payers.get(key) ?? 0) : Number(row.earned_atomic) > 0 ? 1 : 0;
      const one = toFigures({ sums: row, histograms: histograms.get(key), payers: paying });
      return [key, { ...one, lastCalledAt: lastCalledAt?.toISOString() ?? null }];
    }),
  );
  return Object.assign(figures, { total: ranked?.total ?? sums[0]?.total ?? 0 });
}

/** Who has paid most: of many payers, only so many are read with all that is known of them. */
async function rankPayers(tx: Tx, query: FiguresQuery): Promise<{ keys: string[]; total: number }> {
  const { from, waiting, values } = toRows(query);
  const { rows } = await tx.query<{ key: string; total: number }>(
    `SELECT key, count(*) OVER ()::int AS total FROM (
       ${from('sums', `earned_atomic, ${calls} AS calls, ${allCalls} AS all_calls`)}
       UNION ALL
       SELECT payer, sign * earned_atomic, CASE WHEN status IN ('success', 'failed') THEN sign ELSE 0 END, sign
       FROM usage_waiting WHERE ${waiting}) AS counted
     GROUP BY key HAVING sum(all_calls) <> 0 ORDER BY sum(earned_atomic) DESC, sum(calls) DESC, 1 LIMIT ${query.limit ?? 'ALL'}`,
    values,
  );
  return { keys: rows.map(({ key }) => key), total: rows[0]?.total ?? 0 };
}

const totals = summed.map((name) => `coalesce(sum(${name}), 0)::text AS ${name}`).join(', ');
async function readSums(
  tx: Tx,
  query: FiguresQuery,
  isOfPayers: boolean,
): Promise<Keyed<SumRow & { last_called_at: Date | null; total: number }>[]> {
  const { from, waiting, hourKey, shownKey, ofKeys, values } = toRows(query);
  const [keptLast, waitingLast] = isOfPayers ? ['last_called_at', 'max(at)'] : ['NULL::timestamptz', 'NULL'];
  const columns = `${summed.join(', ')}, ${keptLast} AS last_called_at`;
  const { rows } = await tx.query<Keyed<SumRow & { last_called_at: Date | null; total: number }>>(
    `SELECT ${shownKey}, ${totals}, max(last_called_at) AS last_called_at, count(*) OVER ()::int AS total FROM (
       ${from('sums', columns)}
       UNION ALL
       SELECT ${hourKey}, ${changed}, ${waitingLast} FROM usage_waiting WHERE ${waiting} GROUP BY 1) AS counted
     ${ofKeys} GROUP BY key HAVING sum(${allCalls}) <> 0
     ORDER BY coalesce(sum(earned_atomic), 0) DESC, sum(${calls}) DESC, 1 LIMIT ${query.limit ?? 'ALL'}`,
    values,
  );
  return rows;
}

/** Summed by bucket in the database, so that it takes time in proportion to the entries and few of them are sent. */
async function readHistograms(tx: Tx, query: FiguresQuery): Promise<Map<string, HistogramRow>> {
  const { from, waiting, hourKey, shownKey, ofKeys, values } = toRows(query);
  const { rows } = await tx.query<Keyed<HistogramRow>>(
    `WITH counted AS (
       ${from('sums', 'latencies, first_outputs')}
       UNION ALL
       SELECT ${hourKey}, array_remove(array_agg(${latencyEntry}), NULL), array_remove(array_agg(${firstOutputEntry}), NULL)
       FROM usage_waiting WHERE ${waiting} GROUP BY 1),
     entries AS (
       SELECT key, kind, unnest(entries) AS entry FROM counted
       CROSS JOIN LATERAL (VALUES ('latency', latencies), ('first_output', first_outputs)) AS one (kind, entries) ${ofKeys}),
     buckets AS (
       SELECT key, kind, sum(entry >> 9) * 512 + (entry & 511) AS entry FROM entries
       GROUP BY key, kind, entry & 511 HAVING sum(entry >> 9) > 0)
     SELECT ${shownKey}, array_agg(entry) FILTER (WHERE kind = 'latency')::text AS latencies,
       array_agg(entry) FILTER (WHERE kind = 'first_output')::text AS first_outputs
     FROM buckets GROUP BY key`,
    values,
  );
  return new Map(rows.map((row) => [row.key, row]));
}
