import { settlePayment } from '#payments/index.ts';
import type { CallOutcome, Settlement } from './call-request.ts';
import type { PaidCall } from './call-record.ts';
import { closeSettled } from './close-settled.ts';
import { closeUnpaid } from './close-unpaid.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { offerVersion } from './offer-version.ts';
import { stillSettling } from './public-problem.ts';
import { noteReverted } from './resolve-pending.ts';
import { withReceipt, type StoredAnswer } from './stored-answer.ts';
import { transition } from './transitions.ts';

/** settling -> settled, unpaid or pending. Only a settlement that certainly happened lets the answer out. */
export async function settleCall(deps: GatewayDeps, call: PaidCall, answer: StoredAnswer): Promise<CallOutcome> {
  const result = await settlePayment(deps.payments, call.payment, call.offer).catch((error: unknown) => {
    deps.log.error({ err: error, callId: call.callId }, 'settlement broke off');
    return { status: 'unknown' as const, reason: 'unexpected_settle_error', reverted: 0 };
  });
  if (result.status === 'settled') {
    const receipt = await closeSettled(deps, { callId: call.callId, name: 'confirm' }, result.transaction);
    return receipt
      ? {
          kind: 'answer',
          answer: withReceipt(answer, receipt),
          callId: call.callId,
          isPaid: true,
          settlement: toSettlement(call, { success: true, transaction: result.transaction }),
        }
      : stillSettling();
  }
  if (result.status === 'unknown') {
    await noteReverted(deps, call.callId, result.reverted ?? 0);
    await transition(
      deps.database.system,
      { callId: call.callId, name: 'doubt' },
      { reason: result.reason, deadlineInMs: 1000 },
    );
    return stillSettling();
  }
  return refuseSettlement(deps, call, result.reason);
}

async function refuseSettlement(deps: GatewayDeps, call: PaidCall, reason: string): Promise<CallOutcome> {
  if (!(await closeUnpaid(deps, { callId: call.callId, name: 'deny' }, reason))) {
    return stillSettling();
  }
  return {
    kind: 'challenge',
    version: call.version,
    challenge: offerVersion(deps, call.version).challenge,
    reason,
    settlement: toSettlement(call, { success: false, transaction: '', reason }),
  };
}

function toSettlement(call: PaidCall, result: Pick<Settlement, 'success' | 'transaction' | 'reason'>): Settlement {
  return {
    ...result,
    x402Version: call.payment.x402Version,
    network: call.payment.network,
    payer: call.payment.payer,
    ...(result.success ? { amount: call.offer.amountAtomic.toString() } : {}),
  };
}
