import { recordEntries } from '#payments/index.ts';
import { recordCall } from '#usage/index.ts';
import type { Receipt } from './call-request.ts';
import type { StoredRecord } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { transitionReturning } from './transitions.ts';

/** How long a settled call may wait for its answer to go out before it counts as owed. */
const DELIVERY_DEADLINE_MS = 60_000;

interface SettledRow {
  owner_id: string;
  network: string;
  asset: string;
  payer: string;
  pay_to: string;
  amount_atomic: string;
  record: string;
  settled_at: Date;
}

const columns = `owner_id, network, asset, payer, offer->>'payTo' AS pay_to, amount_atomic::text, record, settled_at`;

/**
 * The call is paid: state, ledger, usage and receipt in one transaction.
 * Everything comes from the row that was stored before the money moved, so that a reconciler in another process
 * closes a call exactly as the process that died would have. `null`: somebody else closed it.
 */
export async function closeSettled(
  deps: Pick<GatewayDeps, 'database'>,
  move: { callId: string; name: 'confirm' | 'find' },
  settlement: string,
): Promise<Receipt | null> {
  return deps.database.transaction(async (tx) => {
    const row = await transitionReturning<SettledRow>(tx, move, {
      transaction: settlement,
      deadlineInMs: DELIVERY_DEADLINE_MS,
      columns,
    });
    if (!row) {
      return null;
    }
    const amountAtomic = BigInt(row.amount_atomic);
    const stored = JSON.parse(row.record) as StoredRecord;
    await recordEntries(tx, {
      callId: move.callId,
      ownerId: row.owner_id,
      network: row.network,
      asset: row.asset,
      amountAtomic,
      payer: row.payer,
      payTo: row.pay_to,
      transaction: settlement,
    });
    await recordCall(tx, { ...stored.record, amountAtomic, transaction: settlement, at: row.settled_at });
    return { ...stored.receipt, transaction: settlement, at: row.settled_at.toISOString() };
  });
}
