import type { ChatFailure, FailureKind } from './chat.ts';
import { namesOfAccount } from './known-errors.ts';

const RETRYABLE_STATUSES = new Set([408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 529]);
/** What another attempt meets again, whatever the status says. @source langchain-ai/langchainjs#1929 */
const lastingNames: ReadonlySet<string> = new Set([
  ...namesOfAccount,
  'context_length_exceeded',
  'max_tokens_exceeded',
  'content_policy_violation',
]);
const FIRST_DELAY_MS = 250;
/** A wait that the upstream asks for and that is longer than this is left to the buyer (Retry-After). */
const MAX_WAIT_SECONDS = 10;
const QUICK_WAIT_SECONDS = 5;
/** Less than this cannot bring an answer. */
const MIN_LEFT_MS = 1_000;

interface RetryQuestion {
  failure: ChatFailure;
  attempts: number;
  /** Did any event arrive, any piece of the answer? */
  hasEvents: boolean;
  hasOutput: boolean;
  leftMs: number;
}

/**
 * The wait before another attempt, or null for none. One extra attempt is made; a second one only
 * for a 429 that asks for at most 5 seconds; never after the first piece of the answer, never past the deadline.
 */
export function decideRetry(question: RetryQuestion): number | null {
  const { failure, attempts } = question;
  const seconds = failure.retryAfterSeconds;
  const isQuick429 = failure.status === 429 && seconds !== null && seconds <= QUICK_WAIT_SECONDS;
  if (attempts >= (isQuick429 ? 3 : 2) || question.hasOutput || !isRetryable(question)) {
    return null;
  }
  const delayMs = seconds === null ? FIRST_DELAY_MS * 2 ** (attempts - 1) : seconds * 1000;
  return delayMs > MAX_WAIT_SECONDS * 1000 || question.leftMs < delayMs + MIN_LEFT_MS ? null : delayMs;
}

function isRetryable({ failure, hasEvents }: RetryQuestion): boolean {
  const isCut: readonly FailureKind[] = ['connection', 'truncated'];
  if (isCut.includes(failure.kind)) {
    return !hasEvents;
  }
  if (failure.kind !== 'http_error' && failure.kind !== 'error_event') {
    return false;
  }
  if (failure.status === 402) {
    return failure.errorType === 'in_flight_budget_exhausted' && failure.retryAfterSeconds !== null;
  }
  if (failure.limitSource === 'openrouter_free_tier_daily' || lastingNames.has(failure.errorType ?? '')) {
    return false;
  }
  return failure.status !== null && RETRYABLE_STATUSES.has(failure.status);
}
