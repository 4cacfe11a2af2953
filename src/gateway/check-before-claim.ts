import { formatUsdc } from '#kit/index.ts';
import { isAuthentic, isMeantFor, matchOffer, reasonsOf, type Offer, type Payment } from '#payments/index.ts';
import { isPricedByInput, type PublishedVersion } from '#resources/index.ts';
import { admit, refuseUnready } from './admit.ts';
import type { CallOutcome, CallRequest } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { judgeInput } from './judge-input.ts';
import { mayFollowFromInput, offerVersion, originOf, payableOffers } from './offer-version.ts';
import { chainUnreachable, tooManyLookUps } from './public-problem.ts';
import { readGivenInput } from './read-given-input.ts';
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
  const given = mayFollowFromInput(version) ? readGivenInput(request, version) : undefined;
  const offer = findOffer(deps, asked, given);
  const isSigned = offer !== null && isAuthentic(deps.payments, payment, offer);
  const admission = await admit(deps, version, { request, payer: isSigned ? payment.payer : null });
  if (!admission.ok) {
    return { ok: false, outcome: { kind: 'problem', problem: admission.problem, charged: false } };
  }
  const { input } = admission;
  if (!offer) {
    return { ok: false, outcome: refuseUnmatched(deps, asked, input), input };
  }
  const judged = await judgeInput(deps, version, input);
  if (!judged.ready) {
    const problem = await refuseUnready(deps, { version, request, payer: isSigned ? payment.payer : null }, judged);
    return { ok: false, outcome: { kind: 'problem', problem, charged: false }, input };
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
      const outcome = verdict.retryable ? chainUnreachable() : refusePayment(deps, { ...asked, input }, verdict.reason);
      return { ok: false, outcome, input };
    }
  }
  const { settlementPoint } = originOf(deps, version, { offer, input });
  if (!lastsLongEnough(deps, { ...version, settlementPoint }, payment)) {
    const reason = reasonsOf(deps.payments, payment).expiresTooSoon;
    return { ok: false, outcome: refusePayment(deps, { ...asked, input }, reason), input };
  }
  return { ok: true, offer, input };
}

/**
 * Where the price follows from the input, what was signed has to be the amount of just this one: a payment for a cheap input
 * takes no claim with another.
 */
function findOffer(deps: GatewayDeps, { version, payment }: Asked, input?: Record<string, unknown>): Offer | null {
  const offer = matchOffer(deps.payments, payment, payableOffers(deps, version, input));
  const isToAmount = !mayFollowFromInput(version) || (offer !== null && isMeantFor(deps.payments, payment, offer));
  return isToAmount ? offer : null;
}

function refuseUnmatched(deps: GatewayDeps, asked: Asked, input: Record<string, unknown>): CallOutcome {
  const refused = refusePayment(deps, { ...asked, input }, 'invalid_payment_requirements');
  const [first] = offerVersion(deps, asked.version, input).offers;
  return isPricedByInput(asked.version) && first
    ? { ...refused, detail: `The price follows from the input: this one costs ${formatUsdc(first.amountAtomic)} USDC.` }
    : refused;
}
