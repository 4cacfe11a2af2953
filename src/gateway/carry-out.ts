import type { SettlementPoint } from '#resources/index.ts';
import { abandonCall } from './abandon-call.ts';
import type { CallOutcome } from './call-request.ts';
import type { PaidCall } from './call-record.ts';
import { fulfilCall, giveAnswer, giveFromFirstOutput, withholdOutput } from './fulfil-call.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { runCall, runToFirstOutput } from './run-call.ts';
import { settleCall } from './settle-call.ts';
import { verifyCall } from './verify-call.ts';

/** The claimed part. Until the settler is asked nothing can be charged; from then on no answer is lost. */
export async function carryOut(deps: GatewayDeps, call: PaidCall): Promise<CallOutcome> {
  try {
    const verified = await verifyCall(deps, call);
    if (verified.ok && verified.paid) {
      verified.call.onUnderWay?.(verified.paid);
      return await fulfilCall(deps, verified.call, verified.paid);
    }
    return verified.ok ? await inOrder[verified.call.settlementPoint](deps, verified.call) : verified.outcome;
  } catch (error) {
    return abandonCall(deps, call, error);
  }
}

/** A call that another process was carrying out before it was paid. */
export async function carryOnVerified(deps: GatewayDeps, call: PaidCall): Promise<CallOutcome> {
  try {
    return await inOrder[call.settlementPoint](deps, call);
  } catch (error) {
    return abandonCall(deps, call, error);
  }
}

/** What follows the verification, by the moment when money moves. */
const inOrder: Record<SettlementPoint, (deps: GatewayDeps, call: PaidCall) => Promise<CallOutcome>> = {
  on_success: async (deps, call) => {
    call.onUnderWay?.();
    const ran = await runCall(deps, call);
    if (!ran.ok) {
      return ran.outcome;
    }
    const paid = await settleCall(deps, call);
    return paid.ok ? giveAnswer(call, paid, ran.output) : paid.outcome;
  },
  at_first_output: async (deps, call) => {
    call.onUnderWay?.();
    const ran = await runToFirstOutput(deps, call);
    if (!ran.ok) {
      return ran.outcome;
    }
    const paid = await settleCall(deps, call);
    return paid.ok
      ? giveFromFirstOutput(deps, call, { paid, output: ran.output })
      : withholdOutput(deps, call, { ...ran, ...paid });
  },
  upfront: async (deps, call) => {
    const paid = await settleCall(deps, call);
    if (!paid.ok) {
      return paid.outcome;
    }
    call.onUnderWay?.(paid);
    return fulfilCall(deps, call, paid);
  },
};
