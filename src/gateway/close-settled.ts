import type { Tx } from '#database/index.ts';
import { recordEntries } from '#payments/index.ts';
import { recordCall, type CallRecord } from '#usage/index.ts';
import type { Receipt } from './call-request.ts';
import type { StoredRecord } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { transitionReturning } from './transitions.ts';

/** How long a settled call may wait for its answer to go out before it counts as owed. */
export const DELIVERY_DEADLINE_MS = 60_000;

/** Of a call that has just been paid. */
export interface SettledRow {
  owner_id: string;
  network: string;
  asset: string;
  payer: string;
  pay_to: string;
  charged: string;
  record: string;
  settled_at: Date;
}

/** `calls.amount_atomic` is what the payment could be charged at most; what was charged is the offer's. */
export const paidColumns = `owner_id, network, asset, payer, offer->>'payTo' AS pay_to, offer->>'amountAtomic' AS charged, record,
  settled_at`;

interface Settled {
  callId: string;
  /** `confirm`: the settler said so. `find`: the chain shows it. */
  by: 'confirm' | 'find';
  transaction: string;
  /** How long the run of an answer that is still to come may take from here. */
  runLeftMs: number;
}

/**
 * The call is paid: state, ledger and receipt in one transaction, and the usage log where the answer is stored already.
 * Everything comes from the row that was stored before the money moved, so that a reconciler in another process
 * closes a call exactly as the process that died would have. `null`: somebody else closed it.
 */
export async function closeSettled(deps: Pick<GatewayDeps, 'database'>, settled: Settled): Promise<Receipt | null> {
  const { callId, by, transaction } = settled;
  return deps.database.transaction(async (tx) => {
    const move = (name: 'confirm' | 'find' | 'confirmEarly' | 'findEarly', deadlineInMs: number) =>
      transitionReturning<SettledRow>(tx, { callId, name }, { transaction, deadlineInMs, columns: paidColumns });
    const whole = await move(by, DELIVERY_DEADLINE_MS);
    const row = whole ?? (await move(`${by}Early`, settled.runLeftMs));
    if (!row) {
      return null;
    }
    const { receipt, record } = await bookTransfer(tx, row, settled);
    if (whole) {
      await recordCall(tx, record);
    }
    return receipt;
  });
}

/** Writes the ledger entries of a paid call. Returns its receipt, and what the usage log keeps once it has its answer. */
export async function bookTransfer(
  tx: Tx,
  row: SettledRow,
  { callId, transaction }: { callId: string; transaction: string },
): Promise<{ receipt: Receipt; record: CallRecord }> {
  const amountAtomic = BigInt(row.charged);
  const { record, receipt } = JSON.parse(row.record) as StoredRecord;
  await recordEntries(tx, {
    callId,
    ownerId: row.owner_id,
    network: row.network,
    asset: row.asset,
    amountAtomic,
    payer: row.payer,
    payTo: row.pay_to,
    transaction,
  });
  return {
    receipt: { ...receipt, transaction, at: row.settled_at.toISOString() },
    record: { ...record, amountAtomic, transaction, at: row.settled_at },
  };
}
