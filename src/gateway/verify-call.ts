import { verifyPayment } from '#payments/index.ts';
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

/** claimed -> running, or claimed -> refused: nothing has run and nothing is charged. */
export async function verifyCall(deps: GatewayDeps, call: PaidCall): Promise<Verified> {
  const verdict = await verifyPayment(deps.payments, call.payment, call.offer).catch((error: unknown) => {
    deps.log.error({ err: error, callId: call.callId }, 'payment could not be checked');
    return { ok: false as const, reason: 'unexpected_verify_error', retryable: true };
  });
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
  const { challenge } = offerVersion(deps, call.version);
  return {
    ok: false,
    outcome: {
      kind: 'challenge',
      version: call.version,
      challenge,
      reason: verdict.reason,
      settlement: {
        x402Version: call.payment.x402Version,
        success: false,
        transaction: '',
        network: call.payment.network,
        payer: call.payment.payer,
        reason: verdict.reason,
      },
    },
  };
}
