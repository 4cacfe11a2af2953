import { reasonsOf, verifyPayment, type Offer, type Payment, type Verdict } from '#payments/index.ts';
import { recordCall } from '#usage/index.ts';
import type { CallOutcome } from './call-request.ts';
import { admitToRun, toPaidFirst } from './admit-to-run.ts';
import { toPaidRecord, type PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { chainUnreachable, givenUp } from './public-problem.ts';
import { refusePayment } from './refuse-payment.ts';
import { RUN_MARGIN_MS, runLimitMs } from './run-limit.ts';
import { transition } from './transitions.ts';
import { notAdmitted, unadmittedCauses, type Unadmitted } from './unadmitted.ts';

type Verified = { ok: true; call: PaidCall } | { ok: false; outcome: CallOutcome };

/**
 * claimed -> running, or settling where it is paid before it runs; or -> refused: nothing has run, nothing is charged. The
 * call that comes back is paid when it was admitted to be, which may be earlier than its version says.
 */
export async function verifyCall(deps: GatewayDeps, call: PaidCall): Promise<Verified> {
  const verdict = await verifyOffered(deps, call.payment, call.offer);
  if (!verdict.ok) {
    const outcome = verdict.retryable ? chainUnreachable() : refusePayment(deps, call, verdict.reason);
    return refuse(deps, call, { reason: verdict.reason, outcome, isLogged: !verdict.retryable });
  }
  const deadlineInMs = runLimitMs(deps, call) + RUN_MARGIN_MS;
  const admitted = await admitToRun(deps, call, { balanceAtomic: verdict.balanceAtomic, deadlineInMs });
  switch (admitted) {
    case 'running':
      return { ok: true, call };
    case 'settling':
      return { ok: true, call: toPaidFirst(call) };
    case 'taken':
      return { ok: false, outcome: givenUp() };
    default:
      return refuseUnadmitted(deps, call, admitted);
  }
}

function refuseUnadmitted(deps: GatewayDeps, call: PaidCall, why: Unadmitted): Promise<Verified> {
  const cause = unadmittedCauses[why];
  if (why === 'exceeds_balance') {
    const reason = reasonsOf(deps.payments, call.payment).exceedsBalance;
    return refuse(deps, call, { reason, cause, outcome: refusePayment(deps, call, reason), isLogged: true });
  }
  return refuse(deps, call, { reason: why, cause, outcome: notAdmitted(why), isLogged: true });
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

interface Refusal {
  reason: string;
  /** For the creator, where the reason does not tell. */
  cause?: string;
  outcome: CallOutcome;
  isLogged: boolean;
}

async function refuse(deps: GatewayDeps, call: PaidCall, refusal: Refusal): Promise<Verified> {
  const { reason, outcome } = refusal;
  await transition(deps.database.system, { callId: call.callId, name: 'refuse' }, { reason });
  if (refusal.isLogged) {
    const { cause } = refusal;
    const ending = { status: 'refused' as const, problem: reason, endedAt: deps.clock.now() };
    const record = toPaidRecord(call, cause === undefined ? ending : { ...ending, cause });
    await recordCall(deps.database.system, record);
  }
  return { ok: false, outcome };
}
