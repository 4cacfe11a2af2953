import { recordCall, releaseSpend } from '#usage/index.ts';
import type { StoredRecord } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { transition } from './transitions.ts';

/**
 * The answer was there, or was to come, and the payment is refused for good: state and usage in one transaction. What the
 * run cost its creator is logged from the row that was stored before the settlement. `false`: somebody else moved the call.
 */
export async function closeUnpaid(
  deps: Pick<GatewayDeps, 'database'>,
  move: { callId: string; name: 'deny' | 'expire' },
  reason: string,
): Promise<boolean> {
  return deps.database.transaction(async (tx) => {
    if (!(await transition(tx, move, { reason }))) {
      return false;
    }
    const { rows } = await tx.query<{ record: string }>({
      name: 'calls_record',
      text: 'SELECT record FROM calls WHERE id = $1',
      values: [move.callId],
    });
    const { record, settlementPoint } = JSON.parse(rows[0]?.record ?? '') as StoredRecord;
    await recordCall(tx, { ...record, status: 'unpaid', problem: reason, amountAtomic: 0n, at: new Date(record.at) });
    if (settlementPoint === 'upfront') {
      // It has not run.
      await releaseSpend(tx, [move.callId]);
    }
    return true;
  });
}
