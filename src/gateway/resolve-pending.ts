import { lookupSettlement, settlePayment, type Offer, type Payment } from '#payments/index.ts';
import { closeSettled } from './close-settled.ts';
import { closeUnpaid } from './close-unpaid.ts';
import type { GatewayDeps } from './gateway-deps.ts';

type ResolveDeps = Pick<GatewayDeps, 'database' | 'payments' | 'log'>;

const RETRY_MS = 2_000;

interface PendingRow {
  payment: Payment;
  offer: Omit<Offer, 'amountAtomic'> & { amountAtomic: string };
}

/**
 * pending -> settled when the chain shows the transfer, whoever sent it; pending -> unpaid when the authorisation
 * expired unused. An authorisation that is neither is sent again: its nonce lets the money move once at the most.
 */
export async function resolvePending(deps: ResolveDeps, callId: string): Promise<void> {
  const found = await deps.database.system.query<PendingRow>(
    `UPDATE calls SET deadline = now() + $2 * interval '1 millisecond' WHERE id = $1 AND state = 'pending'
     RETURNING payment, offer`,
    [callId, RETRY_MS],
  );
  const row = found.rows[0];
  if (!row) {
    return;
  }
  const offer: Offer = { ...row.offer, amountAtomic: BigInt(row.offer.amountAtomic) };
  const settlement = await lookupSettlement(deps.payments, row.payment, offer);
  if (settlement.status === 'settled') {
    await closeSettled(deps, { callId, name: 'find' }, settlement.transaction);
  } else if (settlement.status === 'expired') {
    await closeUnpaid(deps, { callId, name: 'expire' }, 'authorization_expired');
  } else if (settlement.status === 'unused') {
    const result = await settlePayment(deps.payments, row.payment, offer);
    if (result.status === 'settled') {
      await closeSettled(deps, { callId, name: 'find' }, result.transaction);
    }
  }
}
