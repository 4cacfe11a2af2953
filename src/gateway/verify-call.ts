import { reasonsOf, verifyPayment, type Offer, type Payment, type Verdict } from '#payments/index.ts';
import { noEvidence, type Readiness } from '#resources/index.ts';
import { recordCall } from '#usage/index.ts';
import type { CallOutcome } from './call-request.ts';
import { admitWhenClear } from './admit-when-clear.ts';
import { adoptUsed } from './adopt-used.ts';
import { askBeforeUncharged } from './ask-before-uncharged.ts';
import { toPaidFirst, toPaidRecord, type PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { holdRun, releaseUnrun } from './hold-run.ts';
import { keepInputs, keepSent, type InputRefusal } from './keep-inputs.ts';
import { chainUnreachable, givenUp, toPublicProblem } from './public-problem.ts';
import { recordRefused } from './record-refused.ts';
import { refusePayment } from './refuse-payment.ts';
import { RUN_MARGIN_MS, runLimitMs } from './run-limit.ts';
import type { Paid } from './settle-call.ts';
import { tellUnready, toRefused } from './tell-owner.ts';
import { transition } from './transitions.ts';
import { notAdmitted, unadmittedCauses, type Unadmitted } from './unadmitted.ts';

/** `paid`: somebody else has sent the payment already, so only the run is left to do. */
type Verified = { ok: true; call: PaidCall; paid?: Paid } | { ok: false; outcome: CallOutcome };

/**
 * claimed -> running, settling where it is paid before it runs, or fulfilling where others have paid it; or -> refused:
 * nothing has run, and the payment is free again. The call that comes back is paid when it was admitted to be, which may
 * be earlier than its version says.
 */
export async function verifyCall(deps: GatewayDeps, call: PaidCall): Promise<Verified> {
  const verdict = await verifyOffered(deps, call.payment, call.offer);
  if (!verdict.ok && verdict.reason === reasonsOf(deps.payments, call.payment).alreadyUsed) {
    return takeUsed(deps, call, verdict.reason);
  }
  if (!verdict.ok && verdict.retryable) {
    await tellUnchecked(deps, call);
    return refuse(deps, call, { reason: verdict.reason, outcome: chainUnreachable(), isLogged: false });
  }
  if (!verdict.ok) {
    const outcome = refusePayment(deps, call, verdict.reason);
    return refuse(deps, call, { reason: verdict.reason, outcome, isLogged: true });
  }
  const kept = await keepInputs(deps, call);
  return kept.ok ? admitVerified(deps, kept.call, verdict.balanceAtomic) : refuse(deps, call, kept.refusal);
}

/** The same payment is sent again and may become a call: what is logged is that it had to wait. */
async function tellUnchecked(deps: GatewayDeps, call: PaidCall): Promise<void> {
  const cause = `Payments could not be checked: a network, or who checks payments on it, did not answer. The first of them was on ${call.offer.network}. Buyers are asked to send the same payment again. This ends when the network answers; if it lasts, ask the operator of this server.`;
  // Nobody has checked who pays.
  const asked = { request: call, version: call.version, payer: null };
  await recordRefused(deps, asked, { problem: 'unavailable', cause, isCounted: false }).catch((err: unknown) => {
    deps.log.error({ err, resourceId: call.version.resourceId }, 'a refused call could not be logged');
  });
  await deps.news.tellRefused({ ...toRefused(call.version), code: 'network_unreachable', cause });
}

async function admitVerified(deps: GatewayDeps, call: PaidCall, balanceAtomic: bigint | undefined): Promise<Verified> {
  const deadlineInMs = runLimitMs(deps, call) + RUN_MARGIN_MS;
  const held = await holdRun(deps, call);
  if (!held.ready) {
    return refuseUnheld(deps, call, held);
  }
  const admitted = await admitWhenClear(deps, call, { balanceAtomic, deadlineInMs });
  switch (admitted) {
    case 'running':
      call.onUnderWay?.();
      return { ok: true, call };
    case 'settling':
      return { ok: true, call: toPaidFirst(call) };
    case 'taken':
      await releaseUnrun(deps, call);
      return takenOver(deps, call);
    case 'expires_too_soon': {
      await releaseUnrun(deps, call);
      const reason = reasonsOf(deps.payments, call.payment).expiresTooSoon;
      return refuse(deps, call, { reason, outcome: refusePayment(deps, call, reason), isLogged: true });
    }
    default:
      await releaseUnrun(deps, call);
      return refuseUnadmitted(deps, call, admitted);
  }
}

async function refuseUnheld(
  deps: GatewayDeps,
  call: PaidCall,
  { cause, retryAfterSeconds }: Extract<Readiness, { ready: false }>,
): Promise<Verified> {
  await tellUnready(deps, call.version, { cause });
  const later = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  const problem = toPublicProblem({ ok: false, problem: 'unavailable', cause, evidence: noEvidence, ...later });
  const outcome = { kind: 'problem' as const, problem, charged: false };
  return refuse(deps, call, { reason: 'unavailable', cause, outcome, isLogged: true });
}

async function refuseUnadmitted(deps: GatewayDeps, call: PaidCall, why: Unadmitted): Promise<Verified> {
  const cause = unadmittedCauses[why];
  if (why === 'beyond_resource' || why === 'beyond_creator') {
    // The other bounds are about the wallet that came.
    await deps.news.tellRefused({ ...toRefused(call.version), code: why, cause });
  }
  if (why === 'exceeds_balance') {
    const reason = reasonsOf(deps.payments, call.payment).exceedsBalance;
    return refuse(deps, call, {
      reason,
      cause,
      outcome: refusePayment(deps, call, reason),
      isLogged: true,
      isMoved: true,
    });
  }
  return refuse(deps, call, { reason: why, cause, outcome: notAdmitted(why), isLogged: true, isMoved: true });
}

async function takeUsed(deps: GatewayDeps, sent: PaidCall, reason: string): Promise<Verified> {
  const call = await keepSent(deps, sent);
  const used = await adoptUsed(deps, call, reason);
  switch (used.kind) {
    case 'paid':
      call.onUnderWay?.();
      return { ok: true, call, paid: used.paid };
    case 'moved':
      return { ok: false, outcome: used.outcome };
    default: {
      const isKnown = used.kind === 'refused';
      return refuse(deps, call, {
        reason: isKnown ? reason : 'unexpected_verify_error',
        outcome: used.outcome,
        isLogged: isKnown,
      });
    }
  }
}

/** The reconciler took this process for dead and released the payment. */
async function takenOver(deps: GatewayDeps, call: PaidCall): Promise<Verified> {
  return { ok: false, outcome: (await askBeforeUncharged(deps, call, { outcome: givenUp() })).outcome };
}

/** Never throws: what could not be checked can be tried again. */
export async function verifyOffered(
  deps: Pick<GatewayDeps, 'payments' | 'log'>,
  payment: Payment,
  offer: Offer,
): Promise<Verdict> {
  try {
    return await verifyPayment(deps.payments, payment, offer);
  } catch (error) {
    deps.log.error({ err: error }, 'a payment could not be checked');
    return { ok: false, reason: 'unexpected_verify_error', retryable: true };
  }
}

interface Refusal extends InputRefusal {
  /** The call stands in `refused` already. */
  isMoved?: boolean;
}

async function refuse(deps: GatewayDeps, call: PaidCall, refusal: Refusal): Promise<Verified> {
  const { reason, outcome } = refusal;
  const { cause } = refusal;
  const ending = { status: 'refused' as const, problem: reason, endedAt: deps.clock.now() };
  const record = toPaidRecord(call, cause === undefined ? ending : { ...ending, cause });
  await deps.database.transaction(async (tx) => {
    const isOurs =
      refusal.isMoved === true || (await transition(tx, { callId: call.callId, name: 'refuse' }, { reason }));
    if (isOurs && refusal.isLogged) {
      await recordCall(tx, record);
    }
  });
  return { ok: false, outcome };
}
