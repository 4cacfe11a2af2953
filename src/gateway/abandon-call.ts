import { askBeforeUncharged } from './ask-before-uncharged.ts';
import type { CallOutcome } from './call-request.ts';
import type { PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { releaseUnderCaps } from './hold-spend.ts';
import { answerOwed, failedBeforeCharge, settlementPending } from './public-problem.ts';
import { recordAbandoned } from './reconcile-calls.ts';
import { transition } from './transitions.ts';

/**
 * Something failed here (the database, a bug) while a call was carried out. If the call can be released now, we have
 * charged nothing and will not, and the chain is asked whether somebody else has; if it is paid, it is owed. Otherwise its
 * settlement may be under way: the reconciler finishes it, and the buyer is asked to come back with the same payment.
 */
export async function abandonCall(deps: GatewayDeps, call: PaidCall, error: unknown): Promise<CallOutcome> {
  deps.log.error({ err: error, callId: call.callId }, 'a call broke off');
  for (const name of ['refuse', 'fail', 'owe'] as const) {
    if (await release(deps, call, name)) {
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

const cause = 'internal: an error of the server broke the call off; what its run has cost is not known';
const endings = {
  fail: { status: 'failed', problem: 'unavailable', cause },
  owe: { status: 'owed', problem: 'answer_owed', cause },
} as const;

/** `false`: the call does not stand there, or nothing can be written. */
async function release(deps: GatewayDeps, call: PaidCall, name: 'refuse' | 'fail' | 'owe'): Promise<boolean> {
  const { callId, run, version } = call;
  const changes = { reason: 'internal', ofProcess: deps.processId, ...(name === 'owe' ? { ofRun: run } : {}) };
  const move = (tx: Parameters<typeof transition>[0]) => transition(tx, { callId, name }, changes);
  try {
    return await deps.database.transaction(async (tx) => {
      const isOurs = await move(tx);
      if (isOurs && name !== 'refuse') {
        // A run may have used the creator's key, so the log holds it.
        await recordAbandoned(deps, tx, { callId, version: version.version, ...endings[name] });
      }
      return isOurs;
    });
  } catch (err) {
    deps.log.error({ err, callId }, 'a call that broke off could not be logged');
    // The buyer's payment matters more than the log.
    return move(deps.database.system).catch(() => false);
  }
}
