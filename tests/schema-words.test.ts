import { expect, test } from 'vitest';
import { z } from 'zod';
import { listAuthRoutes } from '#accounts/index.ts';
import { explainIssue } from '#kit/index.ts';
import { bindNothing } from './support/operation-requests.ts';

/** What people would read of a check that says nothing of its own. */
const nothingSaid = new Set(['does not have the expected form', 'is not valid']);

interface Part {
  place: string;
  def: Record<string, unknown>;
}

/** Every schema and every check inside a schema. */
function listParts(value: unknown, place: string, seen = new Set<unknown>()): Part[] {
  if (typeof value !== 'object' || value === null || seen.has(value)) {
    return [];
  }
  seen.add(value);
  const inner = '_zod' in value ? (value._zod as { def: Record<string, unknown> }).def : null;
  const members = Object.entries(inner ?? value).flatMap(([name, item]) => listParts(item, `${place}.${name}`, seen));
  return inner === null ? members : [{ place, def: inner }, ...members];
}

/** A format or a rule of its own without a word to whoever misses it. */
function isMute({ def }: Part): boolean {
  const { format, error, type, check } = def;
  const issue = (code: string) => explainIssue({ code, format, input: 'x' } as unknown as z.core.$ZodRawIssue) ?? '';
  // Only checks of numbers have formats that are told as types.
  const isForm = typeof format === 'string' && check === 'string_format';
  const isRule = (type === 'custom' || check === 'custom') && 'fn' in def;
  const found = [...(isForm ? [issue('invalid_format')] : []), ...(isRule ? [issue('custom')] : [])];
  return error === undefined && found.some((words) => nothingSaid.has(words));
}

test('a schema that refuses a form without saying which is found', () => {
  const schema = z.strictObject({
    a: z.array(z.string().regex(/^a$/)).optional(),
    b: z.string().regex(/b/, 'Write b'),
  });
  expect(
    listParts(schema, 'input')
      .filter(isMute)
      .map(({ place }) => place),
  ).toHaveLength(1);
  expect(
    listParts(
      z.string().refine(() => false),
      'input',
    ).some(isMute),
  ).toBe(true);
});

test('whoever sends an operation, sign-up or sign-in something of the wrong form is told which form is right', () => {
  const bodies = listAuthRoutes().map(({ path, body }) => ({ name: path, input: body }));
  const parts = [...bindNothing(), ...bodies].flatMap(({ name, input }) => listParts(input, name));
  expect(parts.length).toBeGreaterThan(300);
  expect(parts.filter(isMute).map(({ place }) => place)).toEqual([]);
});
