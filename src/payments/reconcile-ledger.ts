import type { Database } from '#database/index.ts';
import type { Payments } from './open-payments.ts';
import { getNetwork } from './offer.ts';
import { readTransfers } from './settlers/read-transfers.ts';

export interface LedgerRange {
  network: string;
  fromBlock: number;
  toBlock: number;
}

export interface Reconciliation {
  /** Ledger and chain agree. */
  matched: number;
  /** Booked with a transaction of this range that does not hold the transfer. */
  missingOnChain: { callId: string; transaction: string }[];
  /** Paid to a payee of the ledger with an authorisation, and not booked: lost work, or a payment from elsewhere. */
  missingInLedger: { transaction: string; from: string; to: string; valueAtomic: bigint }[];
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
  SELECT DISTINCT split_part(account, ':', 2) AS address FROM ledger_entries
  WHERE network = $1 AND asset = $2 AND amount_atomic > 0`;

/** Compares what is booked with the transfers that the token logged. Entries of other blocks are left out. */
export async function reconcileLedger(
  deps: { database: Database; payments: Payments },
  range: LedgerRange,
): Promise<Reconciliation> {
  const chain = deps.payments.chains.get(range.network);
  if (!chain) {
    throw new Error(`Payments are not open on ${range.network}.`);
  }
  const asset = getNetwork(range.network).asset.address.toLowerCase();
  const onChain = await readTransfers(chain, range);
  const { rows } = await deps.database.system.query<BookedRow>(selectBooked, [
    range.network,
    asset,
    onChain.transfers.map((transfer) => transfer.transaction),
    onChain.fromTimestamp,
    onChain.toTimestamp,
  ]);
  const payees = await deps.database.system.query<{ address: string }>(selectPayees, [range.network, asset]);
  const open = new Map<string, { transaction: string; from: string; to: string; valueAtomic: bigint }[]>();
  for (const transfer of onChain.transfers) {
    const key = toKey(transfer.transaction, transfer.from, `${transfer.to} ${transfer.valueAtomic}`);
    open.set(key, [...(open.get(key) ?? []), transfer]);
  }
  const missingOnChain = rows.filter(
    (row) => !open.get(toKey(row.transaction, row.payer, `${row.pay_to} ${row.amount}`))?.shift(),
  );
  const known = new Set(payees.rows.map((row) => row.address));
  return {
    matched: rows.length - missingOnChain.length,
    missingOnChain: missingOnChain.map((row) => ({ callId: row.call_id, transaction: row.transaction })),
    missingInLedger: [...open.values()].flat().filter((transfer) => known.has(transfer.to)),
  };
}

function toKey(transaction: string, from: string, rest: string): string {
  return `${transaction} ${from} ${rest}`;
}
