import { Problem } from '#kit/index.ts';
import type { Outcome } from '#resources/index.ts';
import type { CallOutcome } from './call-request.ts';

const PENDING_RETRY_SECONDS = 3;

/** What a buyer reads of a failure: neutral, and that nothing was charged. The cause is in the creator's usage log. */
export function toPublicProblem(outcome: Outcome & { ok: false }): Problem {
  const isRetryable = outcome.problem !== 'content_refused' && outcome.problem !== 'unprocessable';
  return new Problem(outcome.problem, {
    detail:
      outcome.problem === 'content_refused'
        ? 'The input was refused by the model or its moderation. Nothing was charged.'
        : 'Resource unavailable. Nothing was charged.',
    headers: isRetryable ? { 'Retry-After': String(outcome.retryAfterSeconds ?? 10) } : {},
  });
}

/** The reconciler gave this call up while it was still waiting: it holds no payment any more. */
export function takenAway(): CallOutcome {
  const problem = new Problem('upstream_timeout', {
    detail: 'The call took longer than it may and was given up. Nothing was charged.',
    headers: { 'Retry-After': '5' },
  });
  return { kind: 'problem', problem, charged: false };
}

export function cannotTell(): CallOutcome {
  const problem = new Problem('unavailable', {
    detail: 'The payment could not be checked because the network did not answer. Nothing was charged.',
    next: 'Send the same payment again after the Retry-After time.',
    headers: { 'Retry-After': '5' },
  });
  return { kind: 'problem', problem, charged: false };
}

/** The answer to a payment whose settlement is not known yet: never a new challenge, so that nobody pays twice. */
export function stillSettling(): CallOutcome {
  const problem = new Problem('settlement_pending', {
    detail: 'The payment was sent to the network and its outcome is not known yet. The answer is kept for you.',
    headers: { 'Retry-After': String(PENDING_RETRY_SECONDS) },
  });
  return { kind: 'problem', problem };
}

/** The payment is held by another call, or spent. */
export function inUse(detail: string, next: string): CallOutcome & { kind: 'problem' } {
  const problem = new Problem('payment_in_use', { detail, next, headers: { 'Retry-After': '2' } });
  return { kind: 'problem', problem };
}

/** The payment came to its end without money moving. */
export function usedInVain(detail: string, next: string): CallOutcome {
  return { ...inUse(`${detail} Nothing was charged.`, next), charged: false };
}
