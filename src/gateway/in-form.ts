import { toSettlementPoints, type PublishedVersion } from '#resources/index.ts';
import type { CallOutcome, CallRequest } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { toStream } from './stored-answer.ts';

/** Whether answers of this kind may come as events: those that some version could sell at its first output. */
export function canStream({ kinds }: Pick<GatewayDeps, 'kinds'>, { kind }: PublishedVersion): boolean {
  const found = kinds.get(kind);
  return found !== undefined && toSettlementPoints(found).includes('at_first_output');
}

/** An answer that is there as a whole, for whoever wants events. */
export function inForm({ events }: Pick<CallRequest, 'events'>, outcome: CallOutcome): CallOutcome {
  return events && outcome.kind === 'answer' ? { ...outcome, answer: toStream(outcome.answer, events) } : outcome;
}
