import type { Payment } from '#payments/index.ts';
import type { PublishedVersion } from '#resources/index.ts';
import type { CallOutcome } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { offerVersion } from './offer-version.ts';

/** A 402 that says why this payment was not taken. */
export function refusePayment(
  deps: Pick<GatewayDeps, 'publicUrl' | 'payments' | 'kinds'>,
  { version, payment, input }: { version: PublishedVersion; payment: Payment; input?: Record<string, unknown> },
  reason: string,
): CallOutcome & { kind: 'challenge' } {
  const { x402Version, network, payer } = payment;
  return {
    kind: 'challenge',
    version,
    challenge: offerVersion(deps, version, input).challenge,
    reason,
    settlement: { x402Version, success: false, transaction: '', network, payer, reason },
  };
}
