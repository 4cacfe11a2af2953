import { settlePayment } from '#payments/index.ts';
import type { CallOutcome, Receipt, Settlement } from './call-request.ts';
import type { PaidCall } from './call-record.ts';
import { closeSettled } from './close-settled.ts';
import { closeUnpaid } from './close-unpaid.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { offerVersion } from './offer-version.ts';
import { releaseRun, releaseUnrun } from './hold-run.ts';
import { findUseOf } from './own-use.ts';
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
    return bookSettlement(deps, call, result.transaction);
  }
  await noteReverted(deps, callId, result.reverted ?? 0);
  if (result.status === 'unknown') {
    await doubt(deps, callId, result.reason);
    return pending();
  }
  return refuseSettlement(deps, call, result.reason);
}

/** The settler sent nothing. Whether somebody else has is for the chain to say, and pending while it cannot. */
async function refuseSettlement(deps: GatewayDeps, call: PaidCall, reason: string): Promise<Settled> {
  const use = await findUseOf(deps, call);
  switch (use.status) {
    case 'settled':
      return bookSettlement(deps, call, use.transaction);
    case 'untraced':
    case 'unknown':
      await doubt(deps, call.callId, reason);
      return pending();
    default:
      return closeRefused(deps, call, reason);
  }
}

/** What is settled and cannot be written down is found on the chain later; until then it is as good as unknown. */
async function bookSettlement(deps: GatewayDeps, call: PaidCall, transaction: string): Promise<Settled> {
  const { callId } = call;
  try {
    const runLeftMs = longestRunMs(call) + RUN_MARGIN_MS;
    const receipt = await closeSettled(deps, { callId, by: 'confirm', transaction, runLeftMs });
    if (!receipt) {
      return pending();
    }
    call.onUnderWay?.();
    return { ok: true, receipt, settlement: toSettlement(call, { success: true, transaction }) };
  } catch (error) {
    if (!(await doubt(deps, callId, 'not_booked'))) {
      throw error;
    }
    deps.log.error({ err: error, callId, transaction }, 'a settlement could not be booked');
    return pending();
  }
}

function doubt(deps: GatewayDeps, callId: string, reason: string): Promise<boolean> {
  return transition(deps.database.system, { callId, name: 'doubt' }, { reason, deadlineInMs: 1000 });
}

function pending(): Settled {
  return { ok: false, isPending: true, outcome: settlementPending() };
}

async function closeRefused(deps: GatewayDeps, call: PaidCall, reason: string): Promise<Settled> {
  if (!(await closeUnpaid(deps, { callId: call.callId, name: 'deny' }, reason))) {
    return pending();
  }
  // Otherwise it has run, and has cost what the log says.
  await (call.settlementPoint === 'upfront' ? releaseUnrun : releaseRun)(deps, call);
  const outcome: CallOutcome = {
    kind: 'challenge',
    version: call.version,
    challenge: offerVersion(deps, call.version, call.input).challenge,
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
