import { newId, Problem, sha256Hex } from '#kit/index.ts';
import { claimPayment, decodePayment, matchOffer, type Offer, type Payment } from '#payments/index.ts';
import type { PublishedVersion } from '#resources/index.ts';
import { admit, refuseClosed } from './admit.ts';
import { answerHeld, findAnswer } from './answer-held.ts';
import type { CallOutcome, CallRequest } from './call-request.ts';
import type { PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { getTarget } from './get-target.ts';
import { offerVersion, payableOffers } from './offer-version.ts';
import { runCall } from './run-call.ts';
import { settleCall } from './settle-call.ts';
import { unpaidCall } from './unpaid-call.ts';
import { refuseForged, verifyCall } from './verify-call.ts';

const CLAIM_DEADLINE_MS = 15_000;

/** The paid call (architecture, section 5). Each step returns a value to this story; no step calls the next. */
export async function paidCall(deps: GatewayDeps, request: CallRequest): Promise<CallOutcome> {
  const startedAt = deps.clock.now();
  const version = await getTarget(deps, request.target);
  if (request.isOwnerTest || version.priceAtomic === 0n) {
    return unpaidCall(deps, request, version);
  }
  if (request.payment.paymentSignature === undefined && request.payment.xPayment === undefined) {
    return challengeOf(deps, version);
  }
  const decoded = decodePayment(request.payment);
  if (!decoded.ok) {
    return { kind: 'problem', problem: new Problem(decoded.problem, { detail: decoded.detail }), charged: false };
  }
  const { payment } = decoded;
  const fingerprint = toFingerprint(request);
  const offer = matchOffer(payment, payableOffers(deps, version));
  const admission = await admit(deps, version, request);
  if (!offer || !admission.ok) {
    const replayed = await findAnswer(deps, { payment, fingerprint });
    return replayed ?? refuseBeforeClaim(deps, { version, offer, admission, payment });
  }
  const forged = await refuseForged(deps, { version, payment, offer });
  if (forged) {
    return forged;
  }
  const call: PaidCall = { callId: newId(), requestId: request.requestId, version, payment, offer, startedAt };
  const claim = await claimPayment(deps.database.system, {
    ...call,
    ...version,
    processId: deps.processId,
    fingerprint,
    deadlineInMs: CLAIM_DEADLINE_MS,
  });
  if (claim.kind === 'held') {
    return answerHeld(deps, claim.call, { payment, fingerprint });
  }
  const carriedOut = carryOut(deps, call, admission.input);
  deps.inFlight.set(call.callId, carriedOut);
  return carriedOut.finally(() => deps.inFlight.delete(call.callId));
}

/** The claimed part: verify, run, settle. */
async function carryOut(deps: GatewayDeps, call: PaidCall, input: Record<string, unknown>): Promise<CallOutcome> {
  const verified = await verifyCall(deps, call);
  if (!verified.ok) {
    return verified.outcome;
  }
  const ran = await runCall(deps, call, input);
  if (!ran.ok) {
    return ran.outcome;
  }
  return settleCall(deps, call, ran.answer);
}

function challengeOf(deps: GatewayDeps, version: PublishedVersion): CallOutcome {
  const closed = refuseClosed(version);
  return closed
    ? { kind: 'problem', problem: closed }
    : { kind: 'challenge', version, challenge: offerVersion(deps, version).challenge };
}

interface Refusal {
  version: PublishedVersion;
  offer: Offer | null;
  admission: Awaited<ReturnType<typeof admit>>;
  payment: Payment;
}

function refuseBeforeClaim(deps: GatewayDeps, refusal: Refusal): CallOutcome {
  if (!refusal.admission.ok) {
    return { kind: 'problem', problem: refusal.admission.problem, charged: false };
  }
  const { challenge } = offerVersion(deps, refusal.version);
  return { kind: 'challenge', version: refusal.version, challenge, reason: 'invalid_payment_requirements' };
}

/** What a payment is bound to: the same payment with another request is another use of it. */
function toFingerprint(request: CallRequest): string {
  return sha256Hex(`${request.method}\n${request.url}\n${request.bodyDigest}`);
}
