import { Problem } from '#kit/index.ts';
import type { CallOutcome } from './call-request.ts';
import { chargeUnknown } from './public-problem.ts';

const KEEP = 'Keep this payment and send it again later; do not sign a new one before it says whether it was charged.';

/** A refusal that says nothing of a charge, because the chain was not asked or could not tell. Never a new challenge. */
export function withoutCharge(refused: CallOutcome): CallOutcome & { kind: 'problem' } {
  if (refused.kind !== 'problem') {
    return chargeUnknown();
  }
  const { charged: _, ...rest } = refused;
  const { problem } = refused;
  const detail = problem.message.replace('Nothing was charged.', 'This request charged nothing.');
  return { ...rest, problem: change(problem, { detail, next: `${problem.next} ${KEEP}` }) };
}

/** The chain shows a transfer for the payment, which no call here may take for its own now. */
export function usedBefore(
  refused: CallOutcome,
  { transaction, reason }: { transaction: string; reason: string },
): CallOutcome {
  const used = `This payment was used in transaction ${transaction}`;
  if (refused.kind === 'problem') {
    const told = withoutCharge(refused);
    const detail = `${told.problem.message} ${used}, which no call here has booked.`;
    return { ...told, problem: change(told.problem, { detail, next: told.problem.next }) };
  }
  if (refused.kind !== 'challenge') {
    return refused;
  }
  const settlement = refused.settlement && { ...refused.settlement, reason };
  const detail = `${used} before this request and cannot buy here. Sign a new payment.`;
  return { ...refused, reason, detail, ...(settlement ? { settlement } : {}) };
}

function change(problem: Problem, { detail, next }: { detail: string; next: string }): Problem {
  const { code, fields, headers } = problem;
  return new Problem(code, { detail, next, fields, headers });
}
