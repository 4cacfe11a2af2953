import fc from 'fast-check';
import { expect, test } from 'vitest';
import { composeText, findKeywords, SIMULATED_MARK } from './text.ts';

test.each([
  ['Write a haiku about a quiet harbour, set in autumn.', ['quiet', 'harbour', 'autumn']],
  ['Translate "good morning" please', ['morning', 'good']],
  ['KEY-77 sk-or-v1-abc ABCDEF x1y2z3', []],
])('the keywords of the prompt "%s" are its last plain words, those behind a marker first', (prompt, words) => {
  expect(findKeywords(prompt)).toStrictEqual(words);
});

test.each([
  ['Write a haiku', /^\[simulated\] Whales .*\n.*\n.*\.$/],
  ['Write a motto for whales', /^\[simulated\] [A-Z][^\n.]*\.$/],
  ['Describe whales', /^\[simulated\] ([A-Z][^\n]*(whales|tides)[^\n]*\.\s*)+$/],
])('%s has the form that was asked for', (task, form) => {
  expect(composeText({ seed: 's', task, words: ['whales', 'tides'], tokens: 80 })).toMatch(form);
});

test('every task gets a simulated text that is marked as such, of about the wished length', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 400 }), (task, tokens) => {
      const text = composeText({ seed: 'seed', task, words: findKeywords(task), tokens });
      expect(text.startsWith(SIMULATED_MARK)).toBe(true);
      expect(text.length).toBeLessThan(tokens * 4 + 4_000);
    }),
  );
});
