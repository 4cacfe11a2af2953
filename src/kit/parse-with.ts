import type { z } from 'zod';
import { Problem, type FieldProblem } from './errors.ts';
import { explainIssue, toFieldProblems } from './explain-issue.ts';
import { safeParse } from './safe-parse.ts';

const MAX_FIELDS = 50;

/** What the schema makes of a value. Throws `invalid_input`, which names the places and never the values. */
export function parseWith<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = safeParse(schema, value, { error: explainIssue });
  if (!parsed.success) {
    throw toInvalidInput(toFieldProblems(parsed.error));
  }
  return parsed.data;
}

interface Told {
  /** Where the first stands, in the words of the detail; its path unless told. */
  place?: string;
  /** Of the first, in the words of the detail; its message unless told. */
  message?: string;
  next?: string;
}

/** `invalid_input` with everything that stands against a request; the detail tells the first and how many more there are. */
export function toInvalidInput(all: readonly FieldProblem[], told: Told = {}): Problem {
  const fields = all.slice(0, MAX_FIELDS);
  const [first] = fields;
  const { place = first?.path ?? '', message = first?.message ?? '', ...rest } = told;
  const more = fields.length > 1 ? ` (and ${fields.length - 1} more)` : '';
  return new Problem('invalid_input', {
    detail: first
      ? `${place === '' ? 'The request' : place}: ${message.replace(/\.$/, '')}${more}.`
      : 'The request does not fit its schema.',
    fields,
    ...rest,
  });
}
