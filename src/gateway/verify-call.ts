import { reasonsOf, verifyPayment, type Offer, type Payment, type Verdict } from '#payments/index.ts';
import { recordCall } from '#usage/index.ts';
import type { CallOutcome } from './call-request.ts';
import { admitToRun, UNPAID_LIMIT } from './admit-to-run.ts';
import { toCallRecord, type PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { cannotTell, takenAway, tooManyUnpaid } from './public-problem.ts';
import { refusePayment } from './refuse-payment.ts';
import { runLimitMs } from './run-limit.ts';
import { transition } from './transitions.ts';

/** How long after its own limit a run may still be finishing before the reconciler takes the call for dead. */
const RUN_MARGIN_MS = 10_000;

type Verified = { ok: true } | { ok: false; outcome: CallOutcome };

/** claimed -> running, or claimed -> refused: nothing has run and nothing is charged. */
export async function verifyCall(deps: GatewayDeps, call: PaidCall): Promise<Verified> {
  const verdict = await verifyOffered(deps, call.payment, call.offer);
  if (!verdict.ok) {
    const outcome = verdict.retryable ? cannotTell() : refusePayment(deps, call, verdict.reason);
    return refuse(deps, call, { reason: verdict.reason, outcome, isLogged: !verdict.retryable });
  }
  const deadlineInMs = runLimitMs(deps, call) + RUN_MARGIN_MS;
  const admitted = await admitToRun(deps, call, { balanceAtomic: verdict.balanceAtomic, deadlineInMs });
  switch (admitted) {
    case 'running':
      return { ok: true };
    case 'taken':
      return { ok: false, outcome: takenAway() };
    case 'too_many_unpaid':
      return refuse(deps, call, { reason: admitted, outcome: tooManyUnpaid(UNPAID_LIMIT), isLogged: true });
    case 'exceeds_balance': {
      const reason = reasonsOf(deps.payments, call.payment).exceedsBalance;
      return refuse(deps, call, { reason, outcome: refusePayment(deps, call, reason), isLogged: true });
    }
  }
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
  outcome: CallOutcome;
  isLogged: boolean;
}

async function refuse(deps: GatewayDeps, call: PaidCall, refusal: Refusal): Promise<Verified> {
  const { reason, outcome } = refusal;
  await transition(deps.database.system, { callId: call.callId, name: 'refuse' }, { reason });
  if (refusal.isLogged) {
    deps.refusals.count(call.clientAddress);
    const record = toCallRecord(call, { status: 'refused', problem: reason, endedAt: deps.clock.now() });
    await recordCall(deps.database.system, record);
  }
  return { ok: false, outcome };
}
