import { Problem } from '#kit/index.ts';
import type { CallOutcome } from './call-request.ts';
import { finalProblems, isFinal, type FinalProblem } from './final-problems.ts';

/** Of one payment, once a run beyond the paid one has cost something. */
const MAX_RUNS = 6;

const final = finalProblems.map((problem) => `'${problem}'`).join(', ');
const isExhausted = `(coalesce(reason, '') IN (${final})
  OR (trust_usd IS NOT NULL AND (runs >= ${MAX_RUNS} OR settled_at < now() - interval '1 day')))`;

/**
 * Condition on `calls`: an owed call that is not run any more. A final problem stays one; and where runs that nobody
 * has paid for have cost something, they end after some, or after a day. What costs nothing may go on.
 */
export const isGivenUp = `(state = 'owed' AND answer IS NULL AND ${isExhausted})`;

/** Condition on `calls`: an owed call that can be run again, also one of many inputs that has its answer in part. */
export const isRerunnable = `(state = 'owed' AND input IS NOT NULL AND (answer IS NULL OR NOT ${isExhausted}))`;

const whyNot: Record<FinalProblem, string> = {
  content_refused: 'the input was refused by the model or its moderation',
  unprocessable: 'the resource cannot carry out this request',
};

/** What a buyer reads who has paid for an answer that will not come. `reason`: of the call's row. */
export function cannotProduce(reason: string | null, transaction: string): CallOutcome & { kind: 'problem' } {
  const why = isFinal(reason) ? whyNot[reason] : 'every run of it failed';
  const problem = new Problem(isFinal(reason) ? reason : 'gone', {
    detail: `The payment was made (transaction ${transaction}), and its answer cannot be produced: ${why}. It is not run again.`,
    next: 'Ask the creator of the resource for a refund and name the transaction; do not send this payment again.',
  });
  return { kind: 'problem', problem, charged: true };
}
