import { Problem } from '#kit/index.ts';
import type { Failure } from '#resources/index.ts';
import type { CallOutcome } from './call-request.ts';
import { isFinal } from './final-problems.ts';
import { refusalLimits } from './trust-limits.ts';

const PENDING_RETRY_SECONDS = 3;

/** What a buyer reads of a failure: neutral, and that nothing was charged. The cause is in the creator's usage log. */
export function toPublicProblem(outcome: Failure): Problem {
  return new Problem(outcome.problem, {
    detail:
      outcome.problem === 'content_refused'
        ? 'The input was refused by the model or its moderation. Nothing was charged.'
        : 'Resource unavailable. Nothing was charged.',
    headers: isFinal(outcome.problem) ? {} : { 'Retry-After': String(outcome.retryAfterSeconds ?? 10) },
  });
}

/**
 * A call ended without an answer, and the network could not be asked whether somebody has used its payment. The same
 * payment finds out: it is charged once at the most, and then buys the answer.
 */
export function chargeUnknown(retryAfter = '5'): CallOutcome & { kind: 'problem' } {
  const problem = new Problem('unavailable', {
    detail: 'There is no answer, and the network could not be asked whether this payment was used.',
    next: 'Send the same payment again after the Retry-After time; do not sign a new one.',
    headers: { 'Retry-After': retryAfter },
  });
  return { kind: 'problem', problem };
}

/** The reconciler gave this call up while it was still waiting: it holds no payment any more. */
export function givenUp(): CallOutcome & { kind: 'problem' } {
  const problem = new Problem('upstream_timeout', {
    detail: 'The call took longer than it may and was given up. Nothing was charged.',
    headers: { 'Retry-After': '5' },
  });
  return { kind: 'problem', problem, charged: false };
}

/** Nothing ran; whether somebody else has used the payment is what could not be asked. */
export function chainUnreachable(): CallOutcome {
  const problem = new Problem('unavailable', {
    detail: 'The payment could not be checked because the network did not answer. This request did not charge it.',
    next: 'Send the same payment again after the Retry-After time; do not sign a new one.',
    headers: { 'Retry-After': '5' },
  });
  return { kind: 'problem', problem };
}

/** The answer to a payment whose settlement is not known yet: never a new challenge, so that nobody pays twice. */
export function settlementPending(): CallOutcome & { kind: 'problem' } {
  const problem = new Problem('settlement_pending', {
    detail: 'The payment was sent to the network and its outcome is not known yet. What it buys is kept for you.',
    headers: { 'Retry-After': String(PENDING_RETRY_SECONDS) },
  });
  return { kind: 'problem', problem };
}

/** Paid, and the answer could not be made yet: the same payment has it made again. */
export function answerOwed(retryAfterSeconds = 5): CallOutcome & { kind: 'problem' } {
  const problem = new Problem('answer_owed', {
    detail: 'The payment was made and the answer could not be produced yet. It is owed to you.',
    headers: { 'Retry-After': String(retryAfterSeconds) },
  });
  return { kind: 'problem', problem, charged: true };
}

/** Paid, and read along with by as many as may. */
export function tooManyReaders(): CallOutcome & { kind: 'problem' } {
  const problem = new Problem('rate_limited', {
    detail: 'Enough requests are reading this answer already.',
    next: 'End one of them, or send the same payment again after the Retry-After time; do not sign a new one.',
    headers: { 'Retry-After': '2' },
  });
  return { kind: 'problem', problem, charged: true };
}

/** Something failed here before anything could be charged. */
export function failedBeforeCharge(): CallOutcome & { kind: 'problem' } {
  const problem = new Problem('unavailable', {
    detail: 'The call broke off because of an error here. Nothing was charged.',
    next: 'Send the same payment again after the Retry-After time.',
    headers: { 'Retry-After': '5' },
  });
  return { kind: 'problem', problem, charged: false };
}

/** Something failed here, and whether this payment bought an answer before could not be read. */
export function purchaseUnknown(): CallOutcome & { kind: 'problem' } {
  const problem = new Problem('unavailable', {
    detail: 'An error here kept the server from reading what this payment bought. It was not charged by this request.',
    next: 'Send the same payment again after the Retry-After time; do not sign a new one.',
    headers: { 'Retry-After': '5' },
  });
  return { kind: 'problem', problem };
}

export function tooManyRefusals(): CallOutcome {
  const problem = new Problem('rate_limited', {
    detail: 'Too many payments of this wallet, or of new wallets from your network, were refused. Nothing was charged.',
    next: 'Send the same payment again after the Retry-After time.',
    headers: { 'Retry-After': String(refusalLimits.seconds) },
  });
  return { kind: 'problem', problem, charged: false };
}

/** What only the chain can check is not asked again and again for the same client. */
export function tooManyLookUps(retryAfterSeconds: number): CallOutcome {
  const problem = new Problem('rate_limited', {
    detail: 'Too many payments from your network were not signed by the key of their payer. Nothing was charged.',
    next: 'Sign with the key of the wallet that pays. A contract wallet may send the same payment again after the Retry-After time.',
    headers: { 'Retry-After': String(retryAfterSeconds) },
  });
  return { kind: 'problem', problem, charged: false };
}

/** The payment is held by another call, or spent. With `next` the same one may be sent again. */
export function paymentInUse(detail: string, next: string): CallOutcome & { kind: 'problem' } {
  const problem = new Problem('payment_in_use', { detail, next, headers: { 'Retry-After': '2' } });
  return { kind: 'problem', problem };
}

/** The payment buys nothing here any more: sending it again helps nobody. */
export function paymentUsedUp(detail: string, next: string): CallOutcome & { kind: 'problem' } {
  return { kind: 'problem', problem: new Problem('payment_in_use', { detail, next }) };
}

/** The payment bought an answer, and whoever sends it now has not shown to be its buyer. */
export function buyerUnproven(transaction: string | null): CallOutcome & { kind: 'problem' } {
  const problem = new Problem('buyer_unproven', {
    detail: `This payment bought an answer${transaction === null ? '' : ` (transaction ${transaction})`}. A payment that was made is public, so the answer is given again only to whoever shows to be its buyer. Nothing more is charged.`,
  });
  return { kind: 'problem', problem, charged: true };
}

/** This call had released its payment, and another call that holds it now was paid. */
export function heldByAnother(): CallOutcome {
  return paymentInUse(
    'This payment was made, and another request with it is being carried out.',
    'Send the same payment again after the Retry-After time.',
  );
}

/** The payment has ended without a charge, as far as was known a moment ago. */
export function justLookedUp(): CallOutcome {
  return paymentInUse(
    'This payment has bought nothing, as far as the network knew a moment ago.',
    'Send the same payment again after the Retry-After time; do not sign a new one before it says whether it was charged.',
  );
}

/** The payment came to its end without money moving. */
export function paymentRefused(reason: string | null): CallOutcome {
  const detail = `This payment was refused when it was settled (${reason ?? 'no reason given'}). Nothing was charged.`;
  return { ...paymentUsedUp(detail, 'Sign a new payment.'), charged: false };
}

/** The call came to its end without money moving, and left the payment free. */
export function firstRequestFailed(): CallOutcome {
  const detail = 'The first request with this payment failed. Nothing was charged.';
  return { ...paymentInUse(detail, 'Send the same payment again.'), charged: false };
}

/** No fault of the caller: nothing ran. */
export function tooManyFiles(): Problem {
  return new Problem('unavailable', {
    detail: 'Too many files are being read at the moment.',
    headers: { 'Retry-After': '10' },
  });
}
