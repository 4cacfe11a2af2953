import type { ProblemCode } from '#kit/index.ts';
import type { ChatFailure } from '#upstreams/index.ts';
import { failureRules, fits, unknownFailure, type FailureRule } from './failure-rules.ts';

export interface ClassifiedFailure {
  /** Public. */
  problem: ProblemCode;
  /** The creator's: `code: text`. */
  code: string;
  cause: string;
  retryAfterSeconds: number | null;
  pause: NonNullable<FailureRule['pause']> | null;
}

/** What an upstream's failure means for the buyer (next to nothing) and for the creator (everything). */
export function classifyFailure(failure: ChatFailure): ClassifiedFailure {
  const rule = failureRules.find((candidate) => fits(candidate, failure)) ?? unknownFailure;
  const said = failure.message === '' ? '' : ` The upstream says: "${failure.message}"`;
  const status = failure.status === null ? '' : ` (status ${failure.status})`;
  const mayComeAgain = rule.problem === 'unavailable';
  return {
    problem: rule.problem,
    code: rule.code,
    cause: `${rule.code}: ${rule.text}${status}${said}`,
    retryAfterSeconds: mayComeAgain ? (failure.retryAfterSeconds ?? rule.retryAfterSeconds ?? null) : null,
    pause: rule.pause ?? null,
  };
}
