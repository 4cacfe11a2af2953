import type { Pool, PoolClient } from 'pg';
import { trustLimits } from './trust-limits.ts';

/** What is open and what was lost around a call that holds its claim; the call itself is counted in. */
export interface Standing {
  /** What of the payer's balance is spoken for in the asset of the call. */
  openAtomic: bigint;
  /** What of it other calls have sent to the chain: it may have left the balance already, while its row is not closed yet. */
  sentAtomic: bigint;
  /** Calls of the payer. */
  open: number;
  /** How many it may have open at once. */
  allowed: number;
  /** Open calls of newcomers from the same network; 0 where the payer is none. */
  openOfClient: number;
  /** Which bound of the work on trust the call exceeds. */
  beyond: 'wallet' | 'client' | 'resource' | 'creator' | null;
  /** The same without the bounds of the wallet and its network. */
  beyondOfCreator: 'resource' | 'creator' | null;
  reverted: number;
  revertedOfClient: number;
}

const isOpen = `state IN ('claimed', 'running', 'settling', 'pending')`;
export const isOver = `state NOT IN ('claimed', 'running', 'settling', 'pending')`;
/** Work of a payment that brought nothing, and cost something. A neighbour's run that failed is no fault of a network. */
const isInVain = `state IN ('unpaid', 'failed')`;
const isRecent = `updated_at > now() - interval '1 day'`;

/** Every part has an index of its own that holds open or recent calls only, so that no history makes it slower. */
const select = `
  WITH own AS (SELECT payer, owner_id, resource_id, network, asset, client FROM calls WHERE id = $1),
  wallet AS (
    SELECT coalesce(sum(c.amount_atomic) FILTER (WHERE c.network = own.network AND c.asset = own.asset), 0) AS open_atomic,
           coalesce(sum(c.amount_atomic) FILTER (WHERE c.network = own.network AND c.asset = own.asset
             AND c.state IN ('settling', 'pending') AND c.id <> $1), 0) AS sent_atomic,
           count(*) AS open, count(c.trust_usd) AS trusted
    FROM own JOIN calls c ON c.payer = own.payer AND c.${isOpen}),
  client AS (
    SELECT count(*) AS open, count(c.trust_usd) AS trusted FROM own JOIN calls c ON c.client = own.client AND c.${isOpen}),
  creator AS (
    SELECT coalesce(sum(c.trust_usd), 0) AS usd,
           coalesce(sum(c.trust_usd) FILTER (WHERE c.resource_id = own.resource_id), 0) AS resource_usd
    FROM own JOIN calls c ON c.owner_id = own.owner_id AND c.trust_usd IS NOT NULL AND c.${isOpen}),
  lost AS (
    SELECT coalesce(sum(c.trust_usd), 0) AS usd,
           coalesce(sum(c.trust_usd) FILTER (WHERE c.resource_id = own.resource_id), 0) AS resource_usd
    FROM own JOIN calls c ON c.owner_id = own.owner_id AND c.trust_usd IS NOT NULL AND c.${isOver} AND c.${isRecent}),
  counted AS MATERIALIZED (
    SELECT wallet.open_atomic, wallet.sent_atomic, wallet.open, client.open AS open_of_client,
      wallet.trusted + (SELECT count(c.trust_usd) FROM calls c
        WHERE c.payer = own.payer AND c.${isInVain} AND c.${isRecent}) AS wallet_trusted,
      client.trusted + (SELECT count(c.trust_usd) FROM calls c
        WHERE c.client = own.client AND c.state = 'unpaid' AND c.${isRecent}) AS client_trusted,
      creator.usd + lost.usd + $6::numeric AS usd, creator.resource_usd + lost.resource_usd + $6::numeric AS resource_usd,
      least($2, 1 + (SELECT count(*) FROM (SELECT FROM calls c
        WHERE c.payer = own.payer AND c.owner_id = own.owner_id AND c.settled_at IS NOT NULL
          AND c.state IN ('settled', 'delivered') LIMIT $2) answered)) AS allowed,
      coalesce((SELECT max_usd_per_day FROM trust_limits l WHERE l.owner_id = own.owner_id), $4::numeric) AS max_usd,
      (SELECT coalesce(sum(c.settle_attempts), 0) FROM calls c
        WHERE c.payer = own.payer AND c.settle_attempts > 0 AND c.${isRecent}) AS reverted,
      (SELECT coalesce(sum(c.settle_attempts), 0) FROM calls c
        WHERE c.client = own.client AND c.settle_attempts > 0 AND c.${isRecent}) AS reverted_of_client
    FROM own, wallet, client, creator, lost)
  SELECT open_atomic::text AS "openAtomic", sent_atomic::text AS "sentAtomic", open::int, allowed::int, open_of_client::int AS "openOfClient",
    reverted::int, reverted_of_client::int AS "revertedOfClient",
    CASE WHEN wallet_trusted > allowed THEN 'wallet'
         WHEN client_trusted > $3 THEN 'client'
         ELSE of_creator END AS beyond,
    of_creator AS "beyondOfCreator"
  FROM (SELECT *, CASE WHEN max_usd = 0 OR usd > max_usd THEN 'creator'
                       WHEN resource_usd > max_usd * $5::numeric THEN 'resource' END AS of_creator FROM counted) judged`;

/** One statement. `moreUsd`: counted in beside what the rows say. Throws for a call that is gone. */
export async function readStanding(
  executor: Pool | PoolClient,
  { callId, moreUsd = '0' }: { callId: string; moreUsd?: string },
): Promise<Standing> {
  const { rows } = await executor.query<
    Omit<Standing, 'openAtomic' | 'sentAtomic'> & Record<'openAtomic' | 'sentAtomic', string>
  >({
    name: 'calls_standing',
    text: select,
    values: [
      callId,
      trustLimits.callsPerWallet,
      trustLimits.newcomersPerClient,
      trustLimits.usdPerDay,
      trustLimits.shareOfResource,
      moreUsd,
    ],
  });
  const [row] = rows;
  if (!row) {
    throw new Error('The call is gone.');
  }
  return { ...row, openAtomic: BigInt(row.openAtomic), sentAtomic: BigInt(row.sentAtomic) };
}
