import { Problem } from '#kit/index.ts';
import type { CallOutcome, CallStatus } from '../call-request.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { transition } from '../transitions.ts';
import { recordAbandoned } from '../reconcile-calls.ts';
import { readStatus } from './read-status.ts';

const noteCancelled = 'UPDATE long_calls SET cancelled_at = now() WHERE call_id = $1';

/**
 * running -> failed, by its buyer: one guarded UPDATE decides between this and the settlement, over all processes, so a
 * call is either cancelled and not charged, or paid and answered. What has gone beyond that is not cancelled.
 */
export async function cancelCall(deps: GatewayDeps, callId: string): Promise<CallOutcome> {
  const isCancelled = await deps.database.transaction(async (tx) => {
    const isOurs = await transition(tx, { callId, name: 'fail' }, { reason: 'cancelled' });
    if (isOurs) {
      await tx.query(noteCancelled, [callId]);
      await recordAbandoned(deps, tx, {
        callId,
        status: 'failed',
        problem: 'cancelled',
        cause: 'cancelled: the buyer took the call back before it was paid',
      });
    }
    return isOurs;
  });
  if (isCancelled) {
    deps.longRuns.get(callId)?.abort();
  }
  const followed = await readStatus(deps, callId);
  if (!followed) {
    throw new Problem('not_found', { detail: 'There is no such call.' });
  }
  const { status } = followed;
  return status.state === 'cancelled' ? { kind: 'accepted', status } : tooLate(status);
}

function tooLate(status: CallStatus): CallOutcome {
  const why: Record<string, string> = {
    running:
      status.charged === true
        ? 'It is paid, and what is paid is carried out: the answer is yours.'
        : 'Its payment is being checked: ask again in a moment.',
    settling: 'Its payment is being settled; the state tells what became of it.',
    owed: 'It is paid, and its answer is owed to you: it is made again without a charge.',
  };
  const problem = new Problem('conflict', {
    detail: `This call cannot be cancelled now. ${why[status.state] ?? 'It has ended.'}`,
    next: 'Read its state at its status URL.',
  });
  return { kind: 'problem', problem, ...(status.charged === null ? {} : { charged: status.charged }) };
}
