import type { ProblemCode } from '#kit/index.ts';

/** Problems of a run that another one would meet again: what the model or its rules refuse they refuse the next time. */
export const finalProblems = ['content_refused', 'unprocessable'] as const satisfies ProblemCode[];

export type FinalProblem = (typeof finalProblems)[number];

export function isFinal(problem: string | null): problem is FinalProblem {
  return finalProblems.some((one) => one === problem);
}
