import { expect, test } from 'vitest';
import { parseModelId, toModelId } from './model-id.ts';

test.each([
  ['ada/haiku', { creator: 'ada', slug: 'haiku' }],
  ['@ada/haiku', { creator: 'ada', slug: 'haiku' }],
  ['ada/haiku@3', { creator: 'ada', slug: 'haiku', version: 3 }],
])('%s names a resource, and is named so again', (text, named) => {
  expect(parseModelId(text)).toEqual(named);
  expect(toModelId(named)).toBe(text.replace(/^@/, ''));
});

test.each(['gpt-4o', 'ada/haiku/batch', 'ada/haiku@3/batch', 'ada/haiku?x=1', ''])('%j names none', (text) => {
  expect(parseModelId(text)).toBe(null);
});
