import type { Payment } from '#payments/index.ts';
import type { PublishedVersion } from '#resources/index.ts';
import type { PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';

/** Time kept back from a payment's validity for its settlement. */
const SETTLE_RESERVE_MS = 6_000;

/**
 * Does the payment outlive the longest run and its settlement? Otherwise the buyer would choose when the run is
 * cut off, after the creator has paid for it.
 */
export function lastsLongEnough(
  deps: Pick<GatewayDeps, 'clock'>,
  version: Pick<PublishedVersion, 'timeoutSeconds'>,
  payment: Payment,
): boolean {
  return validForMs(deps, payment) >= version.timeoutSeconds * 1000;
}

/** A run ends in time for its payment to be settled, and never takes longer than the offer says. */
export function runLimitMs(deps: Pick<GatewayDeps, 'clock'>, call: PaidCall): number {
  return Math.max(0, Math.min(call.version.timeoutSeconds * 1000, validForMs(deps, call.payment)));
}

function validForMs(deps: Pick<GatewayDeps, 'clock'>, payment: Payment): number {
  return payment.expiresAt * 1000 - deps.clock.now() - SETTLE_RESERVE_MS;
}
