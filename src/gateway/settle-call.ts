import { settlePayment } from '#payments/index.ts';
import type { CallOutcome, Receipt, Settlement } from './call-request.ts';
import type { PaidCall } from './call-record.ts';
import { closeSettled } from './close-settled.ts';
import { closeUnpaid } from './close-unpaid.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { offerVersion } from './offer-version.ts';
import { settlementPending } from './public-problem.ts';
import { noteReverted } from './resolve-pending.ts';
import { longestRunMs, RUN_MARGIN_MS } from './run-limit.ts';
import { transition } from './transitions.ts';

/** Beyond the longest that settling takes: until then the process that settles is at work. */
export const SETTLE_MARGIN_MS = 15_000;

/** What a settled call may be answered with. */
export interface Paid {
  receipt: Receipt;
  settlement: Settlement;
}

/** `isPending`: the money may have moved, so what was made for it is kept. */
type Settled = ({ ok: true } & Paid) | { ok: false; isPending: boolean; outcome: CallOutcome };

/** settling -> settled or fulfilling, unpaid, or pending. Only a settlement that certainly happened lets an answer out. */
export async function settleCall(deps: GatewayDeps, call: PaidCall): Promise<Settled> {
  const { callId } = call;
  const result = await settlePayment(deps.payments, call.payment, call.offer).catch((error: unknown) => {
    deps.log.error({ err: error, callId }, 'settlement broke off');
    return { status: 'unknown' as const, reason: 'unexpected_settle_error', reverted: 0 };
  });
  if (result.status === 'settled') {
    const { transaction } = result;
    const receipt = await closeSettled(deps, {
      callId,
      by: 'confirm',
      transaction,
      runLeftMs: longestRunMs(call) + RUN_MARGIN_MS,
    });
    return receipt
      ? { ok: true, receipt, settlement: toSettlement(call, { success: true, transaction }) }
      : { ok: false, isPending: true, outcome: settlementPending() };
  }
  if (result.status === 'unknown') {
    await noteReverted(deps, callId, result.reverted ?? 0);
    await transition(deps.database.system, { callId, name: 'doubt' }, { reason: result.reason, deadlineInMs: 1000 });
    return { ok: false, isPending: true, outcome: settlementPending() };
  }
  return refuseSettlement(deps, call, result.reason);
}

async function refuseSettlement(deps: GatewayDeps, call: PaidCall, reason: string): Promise<Settled> {
  if (!(await closeUnpaid(deps, { callId: call.callId, name: 'deny' }, reason))) {
    return { ok: false, isPending: true, outcome: settlementPending() };
  }
  const outcome: CallOutcome = {
    kind: 'challenge',
    version: call.version,
    challenge: offerVersion(deps, call.version).challenge,
    reason,
    settlement: toSettlement(call, { success: false, transaction: '', reason }),
  };
  return { ok: false, isPending: false, outcome };
}

export function toSettlement(
  call: Pick<PaidCall, 'payment' | 'offer'>,
  result: Pick<Settlement, 'success' | 'transaction' | 'reason'>,
): Settlement {
  return {
    ...result,
    x402Version: call.payment.x402Version,
    network: call.payment.network,
    payer: call.payment.payer,
    ...(result.success ? { amount: call.offer.amountAtomic.toString() } : {}),
  };
}
