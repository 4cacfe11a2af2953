import { toSettlementPoints, type PublishedVersion } from '#resources/index.ts';
import type { CallOutcome, CallRequest } from './call-request.ts';
import { assertMayBeBatch } from './batches/assert-may-be-batch.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { getTarget } from './get-target.ts';
import { paidCall } from './paid-call.ts';
import { toStream } from './stored-answer.ts';

/** Whether answers of this kind may come as events: those that some version could sell at its first output. */
function canStream({ kinds }: Pick<GatewayDeps, 'kinds'>, { kind }: PublishedVersion): boolean {
  const found = kinds.get(kind);
  return found !== undefined && toSettlementPoints(found).includes('at_first_output');
}

/** Carries the call out. An answer that is there as a whole comes as a stream to whoever wants events of such a kind. */
export async function callInForm(deps: GatewayDeps, asked: CallRequest): Promise<CallOutcome> {
  const version = await getTarget(deps, asked.target);
  assertMayBeBatch(asked, version);
  const events = canStream(deps, version) && !version.batchOf ? asked.events : undefined;
  const outcome = await paidCall(deps, { request: { ...asked, events }, version });
  return events && outcome.kind === 'answer' ? { ...outcome, answer: toStream(outcome.answer, events) } : outcome;
}
