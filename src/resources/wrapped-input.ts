import type { z } from 'zod';

/**
 * Given to the schema of an operation that takes the input of a call as its member `input`: a call takes the parameters
 * bare, and so most people send them.
 */
export const wrappedInput = {
  error: ({ code }: z.core.$ZodRawIssue): string | undefined =>
    code === 'unrecognized_keys'
      ? 'is not a known field; the parameters belong into "input", as in {"input": {"topic": "…"}}'
      : undefined,
};
