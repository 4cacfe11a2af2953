import { newId, Problem, sha256Hex } from '#kit/index.ts';
import { decodePayment } from '#payments/index.ts';
import type { PublishedVersion } from '#resources/index.ts';
import { refuseClosed } from './admit.ts';
import { answerHeld, findAnswer, type Again } from './answer-held.ts';
import type { CallOutcome, CallRequest } from './call-request.ts';
import type { PaidCall } from './call-record.ts';
import { checkBeforeClaim } from './check-before-claim.ts';
import { claimPayment } from './claim.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { getTarget } from './get-target.ts';
import { abandonCall } from './abandon-call.ts';
import { offerVersion } from './offer-version.ts';
import { cannotSay, tooManyRefusals } from './public-problem.ts';
import { runCall } from './run-call.ts';
import { settleCall } from './settle-call.ts';
import { unpaidCall } from './unpaid-call.ts';
import { verifyCall } from './verify-call.ts';

const CLAIM_DEADLINE_MS = 15_000;

/** The paid call (architecture, section 5). Each step returns a value to this story; no step calls the next. */
export async function paidCall(deps: GatewayDeps, request: CallRequest): Promise<CallOutcome> {
  const version = await getTarget(deps, request.target);
  if (request.isOwnerTest || version.priceAtomic === 0n) {
    return unpaidCall(deps, request, version);
  }
  if (request.payment.paymentSignature === undefined && request.payment.xPayment === undefined) {
    return challengeOf(deps, version);
  }
  const decoded = decodePayment(deps.payments, request.payment);
  if (!decoded.ok) {
    return { kind: 'problem', problem: new Problem(decoded.problem, { detail: decoded.detail }), charged: false };
  }
  try {
    return await payingCall(deps, { request, version, payment: decoded.payment, fingerprint: toFingerprint(request) });
  } catch (error) {
    deps.log.error({ err: error, requestId: request.requestId }, 'a call with a payment failed unexpectedly');
    return cannotSay();
  }
}

interface Paying extends Again {
  request: CallRequest;
  version: PublishedVersion;
}

/** From a payment that can be read to its answer. A payment that was used before meets its call, never a new challenge. */
async function payingCall(deps: GatewayDeps, paying: Paying): Promise<CallOutcome> {
  const { request, version, payment, fingerprint } = paying;
  const checked = await checkBeforeClaim(deps, paying);
  if (!checked.ok) {
    return (await findAnswer(deps, paying)) ?? checked.outcome;
  }
  const { clientAddress, requestId } = request;
  const waitSeconds = deps.refusals.waitSeconds(clientAddress);
  if (waitSeconds > 0) {
    return (await findAnswer(deps, paying)) ?? tooManyRefusals(waitSeconds);
  }
  const startedAt = deps.clock.now();
  const call: PaidCall = {
    callId: newId(),
    requestId,
    clientAddress,
    version,
    payment,
    offer: checked.offer,
    startedAt,
  };
  const claim = await claimPayment(deps, {
    ...call,
    ...version,
    processId: deps.processId,
    fingerprint,
    deadlineInMs: CLAIM_DEADLINE_MS,
  });
  if (claim.kind === 'held') {
    return answerHeld(deps, claim.call, paying);
  }
  const carriedOut = carryOut(deps, call, checked.input);
  deps.inFlight.set(call.callId, carriedOut);
  return carriedOut.finally(() => deps.inFlight.delete(call.callId));
}

/** The claimed part: verify, run, settle. Until the answer is stored nothing can be charged, whatever goes wrong. */
async function carryOut(deps: GatewayDeps, call: PaidCall, input: Record<string, unknown>): Promise<CallOutcome> {
  try {
    const verified = await verifyCall(deps, call);
    if (!verified.ok) {
      return verified.outcome;
    }
    const ran = await runCall(deps, call, input);
    return ran.ok ? await settleCall(deps, call, ran.answer) : ran.outcome;
  } catch (error) {
    return abandonCall(deps, call, error);
  }
}

function challengeOf(deps: GatewayDeps, version: PublishedVersion): CallOutcome {
  const closed = refuseClosed(version);
  return closed
    ? { kind: 'problem', problem: closed }
    : { kind: 'challenge', version, challenge: offerVersion(deps, version).challenge };
}

/** What a payment is bound to. An Idempotency-Key makes it a secret between buyer and server (docs/decisions/0006). */
function toFingerprint(request: CallRequest): string {
  return sha256Hex([request.method, request.url, request.bodyDigest, request.idempotencyKey].join('\n'));
}
