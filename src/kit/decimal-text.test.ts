import { expect, test } from 'vitest';
import { z } from 'zod';
import { decimalText } from './decimal-text.ts';
import { explainIssue } from './explain-issue.ts';

const schema = z.object({ usd: decimalText('USD as a plain decimal, such as "0.25"', /^\d{1,3}(\.\d{1,2})?$/) });

test.each<[unknown, string]>([
  [0.25, 'must be text in quotes, not a number: USD as a plain decimal, such as "0.25"'],
  ['1e3', 'must be USD as a plain decimal, such as "0.25"'],
  [undefined, 'is missing'],
  [true, 'must be text'],
  [null, 'must be text'],
])('%j is refused with the form that is wanted', (usd, words) => {
  expect(schema.safeParse({ usd }, { error: explainIssue }).error?.issues[0]?.message).toBe(words);
});

test('text of that form is taken as it is', () => {
  expect(schema.parse({ usd: '0.25' })).toEqual({ usd: '0.25' });
});
