import type { z } from 'zod';

/**
 * The first thing that is wrong with a shape, to follow the name of the header: only our own words, field names that the
 * client invented are not repeated. `within` is the field that the shape stands in; `form` is what has no further fields.
 */
export function describeShape(error: z.ZodError, within: string, form: string): string {
  const issue = error.issues[0];
  const field = [...(within ? [within] : []), ...(issue?.path ?? [])].join('.');
  if (issue?.code === 'unrecognized_keys') {
    return `"${field}" holds fields that ${form} do not have.`;
  }
  const expected = issue?.message.startsWith('expected') ? issue.message : 'missing or of the wrong type';
  return `"${field}" is not valid: ${expected}.`;
}
