import { expect, test } from 'vitest';
import { z } from 'zod';
import { explainIssue, toFieldProblems } from './explain-issue.ts';

test.each<[z.ZodType, unknown, string]>([
  [z.string(), undefined, 'is missing'],
  [z.string(), 7, 'must be text'],
  [z.number(), 'seven', 'must be a number'],
  [z.int(), 1.5, 'must be a whole number'],
  [z.boolean(), 'yes', 'must be true or false'],
  [z.array(z.string()), {}, 'must be a list'],
  [z.object({}), [], 'must be an object'],
  [z.enum(['a', 'b']), 'c', 'must be one of "a", "b"'],
  [z.literal(true), false, 'must be true'],
  [z.int().max(100), 101, 'must be at most 100'],
  [z.int().min(1), 0, 'must be at least 1'],
  [z.string().max(3), 'four', 'must have at most 3 characters'],
  [z.array(z.int()).min(1), [], 'must have at least 1 item'],
  [z.uuid(), 'x', 'must be an id (UUID)'],
  [z.iso.datetime(), 'yesterday', 'must be a time such as 2026-01-31T12:00:00Z'],
  [z.string().regex(/^a$/), 'b', 'does not have the expected form'],
  [z.string().regex(/^a$/, 'Write an a'), 'b', 'Write an a'],
  [z.union([z.int(), z.boolean()]), 'b', 'has none of the forms that are allowed here'],
])('%#: every finding of zod is said in plain words', (schema, value, words) => {
  const found = schema.safeParse(value, { error: explainIssue });
  expect(found.error?.issues[0]?.message).toBe(words);
});

test('field problems name the path of each finding, unknown fields one by one', () => {
  const schema = z.strictObject({ 'a/b': z.array(z.int()) });
  const { error } = schema.safeParse({ 'a/b': [1, 'x'], c: 1, '~': 2 }, { error: explainIssue });
  expect(error && toFieldProblems(error)).toEqual([
    { path: '/a~1b/1', message: 'must be a number' },
    { path: '/c', message: 'is not a known field' },
    { path: '/~0', message: 'is not a known field' },
  ]);
});

const every = {
  text: z.string(),
  short: z.string().max(1),
  count: z.int().min(1),
  positive: z.number().gt(0),
  below: z.number().lt(0),
  even: z.number().multipleOf(2),
  huge: z.bigint(),
  day: z.date(),
  pair: z.tuple([z.string(), z.string()]),
  tags: z.set(z.string()),
  table: z.map(z.string(), z.string()),
  names: z.record(z.string().max(2), z.string()),
  either: z.union([z.string(), z.boolean()]),
  kind: z.discriminatedUnion('is', [z.object({ is: z.literal('a') }), z.object({ is: z.literal('b') })]),
  choice: z.enum(['a', 'b']),
  nothing: z.never(),
  empty: z.null(),
  address: z.email(),
  link: z.url(),
  code: z.base64(),
  pattern: z.string().regex(/^a$/),
  list: z.array(z.string()).max(1),
};

test.each(Object.entries(every))('no words of the schema library are told for a wrong %s', (_name, schema) => {
  for (const value of [
    undefined,
    null,
    'xyz!',
    '',
    1.5,
    0,
    true,
    [],
    ['a', 'b', 'c'],
    {},
    { is: 'c' },
    { long: 'x' },
  ]) {
    const parsed = z
      .strictObject({ it: schema as z.ZodType })
      .safeParse({ it: value, more: 1 }, { error: explainIssue });
    for (const { message } of toFieldProblems(parsed.error ?? new z.ZodError([]))) {
      expect(message).toMatch(/^(is|must|does|holds|has) /);
      expect(message).not.toMatch(/invalid|expected \w+,|received|unrecognized|nan\b|bigint|tuple/i);
    }
  }
});
