import type { Payment } from '#payments/index.ts';
import type { PublishedVersion } from '#resources/index.ts';
import type { PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';

/** Time kept back from a payment's validity for its settlement. */
const SETTLE_RESERVE_MS = 6_000;

/** How long after its own limit a run may still be finishing before the reconciler takes the call for dead. */
export const RUN_MARGIN_MS = 10_000;

/**
 * Does the payment outlive the longest run and its settlement? Otherwise the buyer would choose when the run is
 * cut off, after the creator has paid for it. What is paid before it runs has only its settlement to outlive.
 */
export function lastsLongEnough(
  deps: Pick<GatewayDeps, 'clock'>,
  version: Pick<PublishedVersion, 'timeoutSeconds' | 'settlementPoint'>,
  payment: Payment,
): boolean {
  return validForMs(deps, payment) >= (version.settlementPoint === 'upfront' ? 0 : version.timeoutSeconds * 1000);
}

/** A run that is not paid yet ends in time for its payment to be settled, and never takes longer than the offer says. */
export function runLimitMs(deps: Pick<GatewayDeps, 'clock'>, call: PaidCall): number {
  return Math.max(0, Math.min(longestRunMs(call), validForMs(deps, call.payment)));
}

/** Of a test its owner waits for the end. */
const LONGEST_TEST_MS = 120_000;

export function testLimitMs(version: Pick<PublishedVersion, 'timeoutSeconds'>): number {
  return Math.min(version.timeoutSeconds * 1000, LONGEST_TEST_MS);
}

/** What the version allows; the only limit of a run that is paid. */
export function longestRunMs(call: { version: Pick<PublishedVersion, 'timeoutSeconds'> }): number {
  return call.version.timeoutSeconds * 1000;
}

function validForMs(deps: Pick<GatewayDeps, 'clock'>, payment: Payment): number {
  return payment.expiresAt * 1000 - deps.clock.now() - SETTLE_RESERVE_MS;
}
