import type { z } from 'zod';
import type { FieldProblem } from './errors.ts';
import { toPointer } from './json-pointer.ts';

type Issue = z.core.$ZodRawIssue;

const kinds: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  bigint: 'a whole number',
  date: 'a time',
  array: 'a list',
  tuple: 'a list',
  set: 'a list',
  object: 'an object',
  record: 'an object',
  map: 'an object',
};

const formats: Record<string, string> = {
  uuid: 'an id (UUID)',
  datetime: 'a time such as 2026-01-31T12:00:00Z',
  email: 'an e-mail address',
  url: 'a URL',
};

const units: Record<string, string> = { string: 'character', array: 'item', set: 'item' };

/** Of a member that a schema does not have. */
export const UNKNOWN_FIELD = 'is not a known field';

/**
 * zod's findings in words for whoever sent the value; given to `safeParse` as `error`, where messages of the schema
 * itself win. Never holds the value.
 */
export function explainIssue(issue: Issue): string | undefined {
  if (issue.input === undefined && issue.code !== 'unrecognized_keys') {
    return 'is missing';
  }
  switch (issue.code) {
    case 'invalid_type':
      if (issue.expected === 'never') {
        return 'must be left out';
      }
      return `must be ${kinds[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'too_big':
      return toBound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    case 'too_small':
      return toBound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'invalid_format':
      return formats[issue.format] ? `must be ${formats[issue.format]}` : 'does not have the expected form';
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_union':
      return 'has none of the forms that are allowed here';
    case 'unrecognized_keys':
      return UNKNOWN_FIELD;
    default:
      return 'is not valid';
  }
}

function toBound(origin: string, word: string, bound: number | bigint): string {
  const unit = units[origin];
  return unit === undefined
    ? `must be ${word} ${bound}`
    : `must have ${word} ${bound} ${unit}${Number(bound) === 1 ? '' : 's'}`;
}

/** The findings with their places; names the fields, never the values. */
export function toFieldProblems(error: z.ZodError): FieldProblem[] {
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: toPointer([...issue.path, key]), message: issue.message }))
      : [{ path: toPointer(issue.path), message: issue.message }],
  );
}
