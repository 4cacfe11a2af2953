import { decodePayment } from '#payments/index.ts';
import { answerHeld } from './answer-held.ts';
import { answerRefused } from './answer-refused.ts';
import type { CallOutcome } from './call-request.ts';
import { carryOut } from './carry-out.ts';
import { checkBeforeClaim } from './check-before-claim.ts';
import { claimCall, toPaying, type Paying } from './claim-call.ts';
import { endCall } from './end-call.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { holdInFlight } from './hold-in-flight.ts';
import { answerLater } from './long-runs/answer-later.ts';
import { assertCallback } from './long-runs/is-answered-later.ts';
import { makeOffer } from './make-offer.ts';
import { purchaseUnknown, tooManyRefusals, unreadablePayment } from './public-problem.ts';
import { unpaidCall } from './unpaid-call.ts';

/** The paid call. Each step returns a value to this story; no step calls the next. */
export async function paidCall(deps: GatewayDeps, asked: Pick<Paying, 'request' | 'version'>): Promise<CallOutcome> {
  const { request, version } = asked;
  if (request.isOwnerTest || version.priceAtomic === 0n) {
    return unpaidCall(deps, request, version);
  }
  if (request.payment.paymentSignature === undefined && request.payment.xPayment === undefined) {
    return makeOffer(deps, version, request);
  }
  assertCallback(deps, request, version);
  const decoded = decodePayment(deps.payments, request.payment);
  if (!decoded.ok) {
    return unreadablePayment(decoded);
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
      return claim.call.isLong
        ? answerLater(deps, claim.call, { request: paying.request, carry: (call) => carryOut(deps, call) })
        : holdInFlight(deps, claim.call.callId, endCall(deps, claim.call, carryOut(deps, claim.call)));
  }
}
