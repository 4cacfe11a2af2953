import { askBeforeUncharged } from './ask-before-uncharged.ts';
import type { CallOutcome } from './call-request.ts';
import type { PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { releaseUnderCaps } from './hold-spend.ts';
import { answerOwed, failedBeforeCharge, settlementPending } from './public-problem.ts';
import { transition } from './transitions.ts';

/**
 * Something failed here (the database, a bug) while a call was carried out. If the call can be released now, we have
 * charged nothing and will not, and the chain is asked whether somebody else has; if it is paid, it is owed. Otherwise its
 * settlement may be under way: the reconciler finishes it, and the buyer is asked to come back with the same payment.
 */
export async function abandonCall(deps: GatewayDeps, call: PaidCall, error: unknown): Promise<CallOutcome> {
  deps.log.error({ err: error, callId: call.callId }, 'a call broke off');
  for (const name of ['refuse', 'fail', 'owe'] as const) {
    const changes = { reason: 'internal', ofProcess: deps.processId, ...(name === 'owe' ? { ofRun: call.run } : {}) };
    const moved = await transition(deps.database.system, { callId: call.callId, name }, changes).catch(() => false);
    if (moved) {
      if (name === 'refuse') {
        await releaseUnderCaps(deps, call.callId);
      }
      return name === 'owe'
        ? answerOwed()
        : (await askBeforeUncharged(deps, call, { outcome: failedBeforeCharge() })).outcome;
    }
  }
  return settlementPending();
}
