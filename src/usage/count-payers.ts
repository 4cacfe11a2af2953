import type { Tx } from '#database/index.ts';
import { own, toRows, type FiguresQuery } from './figure-rows.ts';
import { CHUNK, isPaid, NOBODY, oneBit } from './payer-sets.ts';
import { ALL_RESOURCES } from './places.ts';

/**
 * How many different wallets have paid something, by the key of the grouping. Where a correction that waits may have taken a
 * wallet's last paid call out of a cell, the log tells; then of that day the cells of the hours are read, without that wallet.
 */
export async function countPayers(tx: Tx, query: FiguresQuery): Promise<Map<string, number>> {
  const { from, waiting, hourKey, shownKey, ofKeys, values } = toRows(query);
  const { rows } = await tx.query<{ key: string; payers: number }>(
    `WITH told AS (
       SELECT resource_id, version, model, hour, payer, sum(sign) AS net
       FROM usage_waiting WHERE ${waiting} AND ${isPaid} GROUP BY 1, 2, 3, 4, 5),
     checked AS (
       SELECT told.*, number, net > 0 OR EXISTS (
         SELECT FROM usage_paid_calls paid WHERE paid.${own} AND paid.resource_id = told.resource_id
           AND paid.version = told.version AND paid.model = told.model AND paid.payer = told.payer
           AND paid.at >= told.hour AND paid.at < told.hour + interval '1 hour') AS is_paid
       FROM told LEFT JOIN usage_payer_numbers numbers ON numbers.${own} AND numbers.payer = told.payer WHERE net <> 0),
     gone AS (
       SELECT resource_id, version, model, hour, number / ${CHUNK} AS chunk, ${oneBit} AS payers
       FROM checked WHERE NOT is_paid AND number IS NOT NULL GROUP BY 1, 2, 3, 4, 5),
     days AS (SELECT DISTINCT (hour AT TIME ZONE 'UTC')::date AS day FROM gone),
     paying AS (
       SELECT key, chunk, bit_or(payers) AS payers FROM (
         ${from('payers', 'chunk, payers', 'NOT IN (SELECT day FROM days)')}
         UNION ALL
         SELECT ${hourKey}, chunk, one.payers & ~coalesce(gone.payers, ${NOBODY})
         FROM (SELECT *, hour AS at FROM usage_hour_payers) AS one
         LEFT JOIN gone USING (resource_id, version, model, hour, chunk)
         WHERE ${waiting} AND resource_id <> '${ALL_RESOURCES}' AND (hour AT TIME ZONE 'UTC')::date IN (SELECT day FROM days)
           -- So that no other is looked at: of most questions, none at all.
           AND hour >= (SELECT min(day)::timestamp AT TIME ZONE 'UTC' FROM days)
           AND hour < (SELECT (max(day) + 1)::timestamp AT TIME ZONE 'UTC' FROM days)
         UNION ALL
         SELECT ${hourKey}, number / ${CHUNK}, set_bit(${NOBODY}, number % ${CHUNK}, 1)
         FROM checked WHERE is_paid AND number IS NOT NULL) AS counted
       ${ofKeys} GROUP BY 1, 2),
     -- No number is given before they are added up.
     new AS (
       SELECT ${hourKey} AS key, count(DISTINCT payer) AS payers FROM checked WHERE is_paid AND number IS NULL GROUP BY 1)
     SELECT ${shownKey}, sum(payers)::int AS payers FROM (
       SELECT key, bit_count(payers) AS payers FROM paying
       UNION ALL
       SELECT key, payers FROM new ${ofKeys}) AS counted
     GROUP BY key`,
    values,
  );
  return new Map(rows.map(({ key, payers }) => [key, payers]));
}
