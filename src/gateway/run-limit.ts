import type { PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';

/** Time kept back from a payment's validity for its settlement. */
const SETTLE_RESERVE_MS = 6_000;

/** A run ends in time for its payment to be settled, and never takes longer than the offer says. */
export function runLimitMs(deps: GatewayDeps, call: PaidCall): number {
  const validForMs = Number(call.payment.authorization.validBefore) * 1000 - deps.clock.now() - SETTLE_RESERVE_MS;
  return Math.max(0, Math.min(call.version.timeoutSeconds * 1000, validForMs));
}
