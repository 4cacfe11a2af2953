import type { Database } from '#database/index.ts';
import type { Payments } from './open-payments.ts';
import { familyOf, type BlockRange, type Chain } from './network.ts';
import { toStoredAddress } from './record-entries.ts';
import type { Scheme, Transfer, TransfersOfRange } from './schemes/scheme.ts';

export interface LedgerRange extends BlockRange {
  network: string;
}

export interface Reconciliation {
  /** Ledger and chain agree. */
  matched: number;
  /** Booked with a transaction of this range that does not hold the transfer. */
  missingOnChain: { callId: string; transaction: string }[];
  /** Paid by one of our schemes, and not booked: to a payee of the ledger or to anybody. */
  missingInLedger: Transfer[];
  /** Creators by the address that they were paid at before, as the ledger knows them. */
  payees: ReadonlyMap<string, readonly string[]>;
}

interface BookedRow {
  call_id: string;
  transaction: string;
  payer: string;
  pay_to: string;
  amount: string;
}

const selectBooked = `
  SELECT paid.call_id, paid.transaction, split_part(paid.account, ':', 2) AS payer,
         split_part(got.account, ':', 2) AS pay_to, got.amount_atomic::text AS amount
  FROM ledger_entries paid
  JOIN ledger_entries got ON got.call_id = paid.call_id AND got.amount_atomic > 0
  WHERE paid.amount_atomic < 0 AND paid.network = $1 AND paid.asset = $2
    AND (paid.transaction = ANY($3) OR paid.created_at BETWEEN to_timestamp($4) AND to_timestamp($5))`;

const selectPayees = `
  SELECT split_part(account, ':', 2) AS address, array_agg(DISTINCT owner_id) AS owner_ids FROM ledger_entries
  WHERE network = $1 AND asset = $2 AND amount_atomic > 0 AND split_part(account, ':', 2) = ANY($3)
  GROUP BY 1`;

/**
 * Compares what is booked with the transfers that the token logged in the blocks given. A booking made in the time of
 * these blocks for a transfer in a block before them counts as matched: its own receipt is looked at.
 */
export async function reconcileLedger(
  deps: { database: Database; payments: Payments },
  range: LedgerRange,
): Promise<Reconciliation> {
  const chain = deps.payments.chains.get(range.network);
  if (!chain) {
    throw new Error(`Payments are not open on ${range.network}.`);
  }
  const asset = toStoredAddress(chain.network.asset.address);
  const schemes = deps.payments.schemes.filter(({ family }) => family.name === familyOf(range.network));
  const onChain = await listTransfers(schemes, chain, range);
  const { rows } = await deps.database.system.query<BookedRow>(selectBooked, [
    range.network,
    asset,
    onChain.transfers.map((transfer) => transfer.transaction),
    onChain.fromTimestamp,
    onChain.toTimestamp,
  ]);
  const open = groupByKey(onChain.transfers);
  const unmatched = rows.filter((row) => !open.get(rowKey(row))?.shift());
  const missing: BookedRow[] = [];
  for (const row of unmatched) {
    const receipt = await chain.findReceipt(row.transaction);
    const elsewhere = groupByKey(schemes.flatMap((scheme) => scheme.readTransfers(chain.network, receipt)));
    if (onChain.transfers.some(({ transaction }) => transaction === row.transaction) || !elsewhere.has(rowKey(row))) {
      missing.push(row);
    }
  }
  const missingInLedger = [...open.values()].flat();
  const payees = await deps.database.system.query<{ address: string; owner_ids: string[] }>(selectPayees, [
    range.network,
    asset,
    [...new Set(missingInLedger.map(({ to }) => toStoredAddress(to)))],
  ]);
  return {
    matched: rows.length - missing.length,
    missingOnChain: missing.map((row) => ({ callId: row.call_id, transaction: row.transaction })),
    missingInLedger,
    payees: new Map(payees.rows.map(({ address, owner_ids }) => [address, owner_ids])),
  };
}

/** What all schemes of the network know of it. */
async function listTransfers(schemes: readonly Scheme[], chain: Chain, range: BlockRange): Promise<TransfersOfRange> {
  const found = await Promise.all(schemes.map((scheme) => scheme.listTransfers(chain, range)));
  return {
    transfers: found.flatMap(({ transfers }) => transfers),
    fromTimestamp: Math.min(...found.map(({ fromTimestamp }) => fromTimestamp)),
    toTimestamp: Math.max(...found.map(({ toTimestamp }) => toTimestamp)),
  };
}

/** One transaction may hold several transfers that look the same; each is matched once. */
function groupByKey(transfers: readonly Transfer[]): Map<string, Transfer[]> {
  return Map.groupBy(transfers, ({ transaction, from, to, valueAtomic }) =>
    [transaction, from, to, valueAtomic].join(' '),
  );
}

function rowKey(row: BookedRow): string {
  return [row.transaction, row.payer, row.pay_to, row.amount].join(' ');
}
