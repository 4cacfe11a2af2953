import type { z } from 'zod';
import { Problem } from './errors.ts';
import { explainIssue, toFieldProblems } from './explain-issue.ts';

const MAX_FIELDS = 50;

/** What the schema makes of a value. Throws `invalid_input`, which names the places and never the values. */
export function parseWith<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value, { error: explainIssue });
  if (!parsed.success) {
    throw toInvalidInput(parsed.error);
  }
  return parsed.data;
}

function toInvalidInput(error: z.ZodError): Problem {
  const fields = toFieldProblems(error).slice(0, MAX_FIELDS);
  const first = fields[0];
  const place = first && first.path !== '' ? first.path : 'The request';
  const more = fields.length > 1 ? ` (and ${fields.length - 1} more)` : '';
  return new Problem('invalid_input', {
    detail: first ? `${place}: ${first.message.replace(/\.$/, '')}${more}.` : 'The request does not fit its schema.',
    fields,
  });
}
