import { isAuthentic, matchOffer, reasonsOf, type Offer, type Payment } from '#payments/index.ts';
import type { PublishedVersion } from '#resources/index.ts';
import { admit } from './admit.ts';
import type { CallOutcome, CallRequest } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { payableOffers, originOf } from './offer-version.ts';
import { chainUnreachable, tooManyLookUps } from './public-problem.ts';
import { recordRefused } from './record-refused.ts';
import { refusePayment } from './refuse-payment.ts';
import { lastsLongEnough } from './run-limit.ts';
import { takeLookUp } from './take-look-up.ts';
import { verifyOffered } from './verify-call.ts';

const NOT_LOOKED_UP = 'Too many payments from one network were not signed by the key of their payer.';

/** `input` is there as soon as it was read, for a payment that has bought an answer before and comes too late for another. */
type Checked =
  | { ok: true; offer: Offer; input: Record<string, unknown> }
  | { ok: false; outcome: CallOutcome; input?: Record<string, unknown> };

interface Asked {
  version: PublishedVersion;
  request: CallRequest;
  payment: Payment;
}

/**
 * Everything that can refuse a payment before it takes a claim and a row: input, readiness, offer, signature, validity.
 * Anybody can invent payments, so what the payer's key did not sign stops here. Contract wallets sign otherwise; they are
 * asked here and, holding the claim, once more by `verifyCall`.
 */
export async function checkBeforeClaim(deps: GatewayDeps, asked: Asked): Promise<Checked> {
  const { version, request, payment } = asked;
  const offer = matchOffer(deps.payments, payment, payableOffers(deps, version));
  const isSigned = offer !== null && isAuthentic(deps.payments, payment, offer);
  const admission = await admit(deps, version, { request, payer: isSigned ? payment.payer : null });
  if (!admission.ok) {
    return { ok: false, outcome: { kind: 'problem', problem: admission.problem, charged: false } };
  }
  const { input } = admission;
  if (!offer) {
    return { ok: false, outcome: refusePayment(deps, asked, 'invalid_payment_requirements'), input };
  }
  if (!isSigned) {
    const retryAfterSeconds = await takeLookUp(deps, { ...asked.request, payment });
    if (retryAfterSeconds > 0) {
      // Who the payer is was not asked, so its name counts for nothing.
      await recordRefused(deps, { ...asked, payer: null }, { problem: 'rate_limited', cause: NOT_LOOKED_UP });
      return { ok: false, outcome: tooManyLookUps(retryAfterSeconds) };
    }
    const verdict = await verifyOffered(deps, payment, offer);
    // A payment that was used is signed well; who used it is asked under the claim.
    if (!verdict.ok && verdict.reason !== reasonsOf(deps.payments, payment).alreadyUsed) {
      const outcome = verdict.retryable ? chainUnreachable() : refusePayment(deps, asked, verdict.reason);
      return { ok: false, outcome, input };
    }
  }
  const { settlementPoint } = originOf(deps, version, offer);
  if (!lastsLongEnough(deps, { ...version, settlementPoint }, payment)) {
    return { ok: false, outcome: refusePayment(deps, asked, reasonsOf(deps.payments, payment).expiresTooSoon), input };
  }
  return { ok: true, offer, input };
}
