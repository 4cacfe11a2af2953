import type { Pool } from 'pg';
import type { Tx } from '#database/index.ts';

export interface LedgerInput {
  callId: string;
  ownerId: string;
  network: string;
  asset: string;
  amountAtomic: bigint;
  payer: string;
  payTo: string;
  transaction: string;
}

const insert = `
  INSERT INTO ledger_entries (call_id, owner_id, account, network, asset, amount_atomic, transaction)
  VALUES ($1, $2, $3, $5, $6, -$7::numeric, $8), ($1, $2, $4, $5, $6, $7::numeric, $8)
  ON CONFLICT (call_id, account) DO NOTHING`;

/**
 * Books a settled call: out of the buyer's account, into the creator's. Once per call, however often it is said; the
 * database refuses entries of a call that do not add up to zero (at commit).
 */
export async function recordEntries(executor: Tx | Pool, input: LedgerInput): Promise<void> {
  const { callId, ownerId, network, asset, amountAtomic, payer, payTo, transaction } = input;
  await executor.query({
    name: 'ledger_record',
    text: insert,
    values: [
      callId,
      ownerId,
      `buyer:${toStoredAddress(payer)}`,
      `creator:${toStoredAddress(payTo)}`,
      network,
      toStoredAddress(asset),
      amountAtomic.toString(),
      toStoredAddress(transaction),
    ],
  });
}

/** EVM writes hexadecimal digits in any case; elsewhere case makes a difference. */
export function toStoredAddress(address: string): string {
  return /^0x[0-9a-f]+$/i.test(address) ? address.toLowerCase() : address;
}
