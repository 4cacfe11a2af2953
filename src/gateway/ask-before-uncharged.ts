import type { Failure } from '#resources/index.ts';
import { adoptTransfer } from './adopt-transfer.ts';
import type { CallOutcome } from './call-request.ts';
import type { PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { findUseOf } from './own-use.ts';
import { answerOwed, chargeUnknown, heldByAnother } from './public-problem.ts';
import type { State } from './transitions.ts';

type ProblemOutcome = CallOutcome & { kind: 'problem' };

interface Asked {
  isPaid: boolean;
  outcome: CallOutcome;
}

/**
 * "Nothing was charged" is said only after the chain was asked. Where it shows the transfer, the call is owed instead;
 * where it cannot be asked, nothing is said about the charge, and the same payment finds out later.
 */
export async function askBeforeUncharged(
  deps: GatewayDeps,
  call: PaidCall,
  { outcome, failure }: { outcome: ProblemOutcome; failure?: Failure },
): Promise<Asked> {
  try {
    const use = await findUseOf(deps, call);
    switch (use.status) {
      case 'unused':
      case 'spent':
        return { isPaid: false, outcome };
      case 'settled':
        return await oweCall(deps, call, { transaction: use.transaction, failure });
      default:
        return { isPaid: false, outcome: chargeUnknown(outcome.problem.headers['Retry-After']) };
    }
  } catch (error) {
    deps.log.error({ err: error, callId: call.callId }, 'whether a failed call was charged could not be found out');
    return { isPaid: false, outcome: chargeUnknown(outcome.problem.headers['Retry-After']) };
  }
}

async function oweCall(
  deps: GatewayDeps,
  call: PaidCall,
  found: { transaction: string; failure: Failure | undefined },
): Promise<Asked> {
  const { transaction, failure } = found;
  const { rows } = await deps.database.system.query<{ state: State }>('SELECT state FROM calls WHERE id = $1', [
    call.callId,
  ]);
  const from = rows[0]?.state ?? 'failed';
  const adopted = await adoptTransfer(deps, call, { from, transaction, ...(failure ? { failure } : {}) });
  if (adopted.kind !== 'paid') {
    return { isPaid: true, outcome: heldByAnother() };
  }
  deps.log.warn({ callId: call.callId, transaction, from }, 'a call that failed was paid by others, and is owed');
  return { isPaid: true, outcome: { ...answerOwed(failure?.retryAfterSeconds), settlement: adopted.paid.settlement } };
}
