import { isAuthentic, verifyPayment, type Offer, type Payment } from '#payments/index.ts';
import type { PublishedVersion } from '#resources/index.ts';
import { recordCall } from '#usage/index.ts';
import type { CallOutcome } from './call-request.ts';
import { toCallRecord, type PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { offerVersion } from './offer-version.ts';
import { cannotTell, takenAway } from './public-problem.ts';
import { runLimitMs } from './run-limit.ts';
import { transition } from './transitions.ts';

/** How long after its own limit a run may still be finishing before the reconciler takes the call for dead. */
const RUN_MARGIN_MS = 10_000;

type Verified = { ok: true } | { ok: false; outcome: CallOutcome };

interface Offered {
  version: PublishedVersion;
  payment: Payment;
  offer: Offer;
}

/**
 * Turns away what the payer's key did not sign, before it can take a claim or a row: anybody can invent such payments.
 * Contract wallets sign otherwise; they are asked here and, holding the claim, once more by `verifyCall`.
 */
export async function refuseForged(deps: GatewayDeps, offered: Offered): Promise<CallOutcome | null> {
  if (isAuthentic(offered.payment, offered.offer)) {
    return null;
  }
  const verdict = await verify(deps, offered);
  if (verdict.ok) {
    return null;
  }
  return verdict.retryable ? cannotTell() : refused(deps, offered, verdict.reason);
}

/** claimed -> running, or claimed -> refused: nothing has run and nothing is charged. */
export async function verifyCall(deps: GatewayDeps, call: PaidCall): Promise<Verified> {
  const verdict = await verify(deps, call);
  if (verdict.ok) {
    const deadlineInMs = runLimitMs(deps, call) + RUN_MARGIN_MS;
    const isOurs = await transition(deps.database.system, { callId: call.callId, name: 'run' }, { deadlineInMs });
    return isOurs ? { ok: true } : { ok: false, outcome: takenAway() };
  }
  await transition(deps.database.system, { callId: call.callId, name: 'refuse' }, { reason: verdict.reason });
  if (verdict.retryable) {
    return { ok: false, outcome: cannotTell() };
  }
  const record = toCallRecord(call, { status: 'refused', problem: verdict.reason, endedAt: deps.clock.now() });
  await recordCall(deps.database.system, record);
  return { ok: false, outcome: refused(deps, call, verdict.reason) };
}

async function verify(deps: GatewayDeps, { payment, offer }: Offered) {
  try {
    return await verifyPayment(deps.payments, payment, offer);
  } catch (error) {
    deps.log.error({ err: error }, 'a payment could not be checked');
    return { ok: false as const, reason: 'unexpected_verify_error', retryable: true };
  }
}

function refused(deps: GatewayDeps, { version, payment }: Offered, reason: string): CallOutcome {
  const { x402Version, network, payer } = payment;
  return {
    kind: 'challenge',
    version,
    challenge: offerVersion(deps, version).challenge,
    reason,
    settlement: { x402Version, success: false, transaction: '', network, payer, reason },
  };
}
