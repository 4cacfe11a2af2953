import type { Tx } from '#database/index.ts';
import { ALL_RESOURCES, places } from './places.ts';

/** Bits of a chunk, as the columns have them. */
export const CHUNK = 16384;
export const NOBODY = `B'0'::bit(${CHUNK})`;

export const oneBit = `bit_or(set_bit(${NOBODY}, number % ${CHUNK}, 1))`;

/** Of changes: those of calls that were paid for. */
export const isPaid = 'payer IS NOT NULL AND earned_atomic > 0';

/** Gives numbers to wallets that pay for the first time, of as many changes. The last number is read before the first is given. */
export const toNumberPayersSql = (batch: number): string => `
INSERT INTO usage_payer_numbers (owner_id, payer, number)
SELECT owner_id, payer, last + row_number() OVER (PARTITION BY owner_id ORDER BY first)
FROM (
  SELECT owner_id, payer, min(id) AS first FROM (SELECT * FROM usage_changes ORDER BY id LIMIT ${batch}) AS waiting
  WHERE ${isPaid} GROUP BY 1, 2) AS one
CROSS JOIN LATERAL (
  SELECT coalesce(max(number), -1) AS last FROM usage_payer_numbers known WHERE known.owner_id = one.owner_id OFFSET 0) AS given
WHERE NOT EXISTS (
  SELECT FROM usage_payer_numbers known WHERE known.owner_id = one.owner_id AND known.payer = one.payer)`;

/** Of a change that has come since: the next batch takes it. */
export const isNumbered = `(earned_atomic = 0 OR payer IS NULL OR EXISTS (
  SELECT FROM usage_payer_numbers known WHERE known.owner_id = usage_changes.owner_id AND known.payer = usage_changes.payer))`;

const addTo = (insert: string, time: string): string => `
  ${insert} AS kept (owner_id, resource_id, ${time}, version, model, chunk, payers)
  SELECT owner_id, place.resource_id, ${time}, place.version, place.model, chunk, bit_or(payers)
  FROM paying CROSS JOIN LATERAL ${places} GROUP BY 1, 2, 3, 4, 5, 6
  ON CONFLICT (owner_id, resource_id, ${time}, version, model, chunk) DO UPDATE SET payers = kept.payers | excluded.payers`;

/** Adds the wallets of `taken` to the sets of those that have paid. Leaves as `nets` how much more, or less, often each has. */
export const ADD_PAYERS = `
nets AS (
  SELECT owner_id, hour, day, resource_id, version, model, payer, sum(sign) AS net
  FROM taken WHERE ${isPaid} GROUP BY 1, 2, 3, 4, 5, 6, 7),
paying AS (
  SELECT nets.owner_id, hour, day, resource_id, version, model, number / ${CHUNK} AS chunk, ${oneBit} AS payers
  FROM nets CROSS JOIN LATERAL (
    SELECT number FROM usage_payer_numbers known WHERE known.owner_id = nets.owner_id AND known.payer = nets.payer OFFSET 0)
    AS numbered
  WHERE net > 0 GROUP BY 1, 2, 3, 4, 5, 6, 7),
hour_payers AS (${addTo('INSERT INTO usage_hour_payers', 'hour')}),
day_payers AS (${addTo('INSERT INTO usage_day_payers', 'day')})`;

// How often a wallet has paid in a cell, by what is added up: what the log says without what still waits.
const DROP_GONE = `
WITH gone AS (
  SELECT fallen.*, number
  FROM json_to_recordset($1) AS fallen (owner_id text, resource_id uuid, hour timestamptz, version int, model text, payer text)
  JOIN usage_payer_numbers USING (owner_id, payer)
  WHERE (SELECT count(*) FROM usage_paid_calls paid
      WHERE paid.owner_id = fallen.owner_id AND paid.resource_id = fallen.resource_id AND paid.version = fallen.version
        AND paid.model = fallen.model AND paid.payer = fallen.payer
        AND paid.at >= fallen.hour AND paid.at < fallen.hour + interval '1 hour')
    <= (SELECT coalesce(sum(sign), 0) FROM usage_waiting waiting
      WHERE waiting.owner_id = fallen.owner_id AND waiting.resource_id = fallen.resource_id
        AND waiting.version = fallen.version AND waiting.model = fallen.model AND waiting.payer = fallen.payer
        AND waiting.hour = fallen.hour AND waiting.earned_atomic > 0)),
dropped AS (
  SELECT owner_id, resource_id, hour, version, model, number / ${CHUNK} AS chunk, ${oneBit} AS payers
  FROM gone GROUP BY 1, 2, 3, 4, 5, 6)
UPDATE usage_hour_payers kept SET payers = kept.payers & ~dropped.payers FROM dropped
WHERE kept.owner_id = dropped.owner_id AND kept.resource_id = dropped.resource_id AND kept.hour = dropped.hour
  AND kept.version = dropped.version AND kept.model = dropped.model AND kept.chunk = dropped.chunk`;

const REBUILD_ALL = `
UPDATE usage_hour_payers kept SET payers = coalesce((
  SELECT bit_or(one.payers) FROM usage_hour_payers one
  WHERE one.owner_id = kept.owner_id AND one.resource_id <> '${ALL_RESOURCES}' AND one.hour = kept.hour
    AND one.chunk = kept.chunk AND (kept.version = 0 OR one.model = kept.model)), ${NOBODY})
FROM json_to_recordset($1) AS fallen (owner_id text, hour timestamptz)
WHERE kept.owner_id = fallen.owner_id AND kept.resource_id = '${ALL_RESOURCES}' AND kept.hour = fallen.hour`;

const REBUILD_DAYS = `
UPDATE usage_day_payers kept SET payers = coalesce((
  SELECT bit_or(one.payers) FROM usage_hour_payers one
  WHERE one.owner_id = kept.owner_id AND one.resource_id = kept.resource_id AND one.version = kept.version
    AND one.model = kept.model AND one.chunk = kept.chunk AND one.hour >= kept.day::timestamp AT TIME ZONE 'UTC'
    AND one.hour < (kept.day + 1)::timestamp AT TIME ZONE 'UTC'), ${NOBODY})
FROM json_to_recordset($1) AS fallen (owner_id text, resource_id uuid, day date)
WHERE kept.owner_id = fallen.owner_id AND kept.resource_id IN (fallen.resource_id, '${ALL_RESOURCES}') AND kept.day = fallen.day`;

/** Takes wallets out of the sets of cells in which a correction has left no paid call of theirs. */
export async function dropPayers(tx: Tx, fallen: readonly object[]): Promise<void> {
  for (const statement of [DROP_GONE, REBUILD_ALL, REBUILD_DAYS]) {
    await tx.query(statement, [JSON.stringify(fallen)]);
  }
}
