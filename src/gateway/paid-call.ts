import { decodePayment } from '#payments/index.ts';
import type { SettlementPoint } from '#resources/index.ts';
import { abandonCall } from './abandon-call.ts';
import { answerHeld } from './answer-held.ts';
import { answerRefused } from './answer-refused.ts';
import type { CallOutcome } from './call-request.ts';
import type { PaidCall } from './call-record.ts';
import { checkBeforeClaim } from './check-before-claim.ts';
import { claimCall, toPaying, type Paying } from './claim-call.ts';
import { fulfilCall, giveAnswer, giveFromFirstOutput, withholdOutput } from './fulfil-call.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { answerNowOrLater, assertCallback } from './long-runs/answer-later.ts';
import { makeOffer } from './make-offer.ts';
import { purchaseUnknown, tooManyRefusals } from './public-problem.ts';
import { refuseUnreadable } from './refuse-early.ts';
import { runCall, runToFirstOutput } from './run-call.ts';
import { settleCall } from './settle-call.ts';
import { unpaidCall } from './unpaid-call.ts';
import { verifyCall } from './verify-call.ts';

/** The paid call. Each step returns a value to this story; no step calls the next. */
export async function paidCall(deps: GatewayDeps, asked: Pick<Paying, 'request' | 'version'>): Promise<CallOutcome> {
  const { request, version } = asked;
  if (request.isOwnerTest || version.priceAtomic === 0n) {
    return unpaidCall(deps, request, version);
  }
  assertCallback(deps, request, version);
  if (request.payment.paymentSignature === undefined && request.payment.xPayment === undefined) {
    return makeOffer(deps, version, request);
  }
  const decoded = decodePayment(deps.payments, request.payment);
  if (!decoded.ok) {
    return refuseUnreadable(deps, request.payment, decoded);
  }
  try {
    return await payingCall(deps, toPaying(request, version, decoded.payment));
  } catch (error) {
    deps.log.error({ err: error, requestId: request.requestId }, 'a call with a payment failed unexpectedly');
    return purchaseUnknown();
  }
}

/** From a payment that can be read to its answer. A payment that was used before meets its call, never a new challenge. */
async function payingCall(deps: GatewayDeps, paying: Paying): Promise<CallOutcome> {
  const checked = await checkBeforeClaim(deps, paying);
  const again = { ...paying, input: checked.input };
  if (!checked.ok) {
    return answerRefused(deps, again, checked.outcome);
  }
  const claim = await claimCall(deps, paying, checked);
  switch (claim.kind) {
    case 'limited':
      return answerRefused(deps, again, tooManyRefusals());
    case 'held':
      return answerHeld(deps, claim.call, again);
    case 'claimed':
      return answerNowOrLater(deps, claim.call, { request: paying.request, carry: (call) => carryOut(deps, call) });
  }
}

/** The claimed part. Until the settler is asked nothing can be charged; from then on no answer is lost. */
async function carryOut(deps: GatewayDeps, call: PaidCall): Promise<CallOutcome> {
  try {
    const verified = await verifyCall(deps, call);
    if (verified.ok && verified.paid) {
      return await fulfilCall(deps, verified.call, verified.paid);
    }
    return verified.ok ? await inOrder[verified.call.settlementPoint](deps, verified.call) : verified.outcome;
  } catch (error) {
    return abandonCall(deps, call, error);
  }
}

/** What follows the verification, by the moment when money moves. */
export const inOrder: Record<SettlementPoint, (deps: GatewayDeps, call: PaidCall) => Promise<CallOutcome>> = {
  on_success: async (deps, call) => {
    const ran = await runCall(deps, call);
    if (!ran.ok) {
      return ran.outcome;
    }
    const paid = await settleCall(deps, call);
    return paid.ok ? giveAnswer(call, paid, ran.output) : paid.outcome;
  },
  at_first_output: async (deps, call) => {
    const ran = await runToFirstOutput(deps, call);
    if (!ran.ok) {
      return ran.outcome;
    }
    const paid = await settleCall(deps, call);
    return paid.ok
      ? giveFromFirstOutput(deps, call, { paid, output: ran.output })
      : withholdOutput(deps, call, { ...ran, ...paid });
  },
  upfront: async (deps, call) => {
    const paid = await settleCall(deps, call);
    return paid.ok ? fulfilCall(deps, call, paid) : paid.outcome;
  },
};
