import type { CallOutcome } from './call-request.ts';
import type { PaidCall } from './call-record.ts';
import { tellClaimant } from './failed-receipt.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { forgetEnded } from './keep-inputs.ts';

/** What the request that claimed the payment is told in the end; what the call needs no more is forgotten. */
export function endCall(deps: GatewayDeps, call: PaidCall, carrying: Promise<CallOutcome>): Promise<CallOutcome> {
  return tellClaimant(deps, call, forgetEnded(deps, call, carrying));
}
