import type { Outcome, WholeBody } from '#resources/index.ts';
import { isFinal } from '../final-problems.ts';

export type ItemState = 'open' | 'succeeded' | 'failed';

/** In one run of the call; a crash in the middle of one counts it. */
export const MAX_ATTEMPTS = 3;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** What becomes of an open item after its attempt of this number: `open` is tried again. */
export function afterAttempt(attempts: number, outcome: Outcome<WholeBody>): ItemState {
  if (outcome.ok) {
    return 'succeeded';
  }
  return isFinal(outcome.problem) || attempts >= MAX_ATTEMPTS ? 'failed' : 'open';
}

/** Before the attempt that follows this many: twice as long each time, or as long as the upstream asks for. */
export function pauseAfterMs(attempts: number, retryAfterSeconds = 0): number {
  return Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS * 4 ** (attempts - 1), retryAfterSeconds * 1000));
}

/** How far a batch has come, in words and in percent. */
export function toProgress({ total, ended, failed }: { total: number; ended: number; failed: number }) {
  const note = `${ended} of ${total}${failed === 0 ? '' : `, ${failed} failed`}`;
  return { percent: (100 * ended) / Math.max(1, total), note };
}

/** The problem of a call none of whose items has an answer: final where that of every item is. */
export function toCommonProblem(problems: readonly string[]): string {
  return problems.find((problem) => !isFinal(problem)) ?? problems[0] ?? 'upstream_failed';
}
