import { expect, test } from 'vitest';
import { compilePattern } from './safe-pattern.ts';

function open(source: string) {
  const result = compilePattern(source);
  if (!result.ok) {
    throw new Error(result.reason);
  }
  return result.pattern;
}

test.each([
  ['^[a-z]+$', 'abc', true],
  ['^[a-z]+$', 'abC', false],
  ['b', 'abc', true],
  ['^\\p{L}{2,3}$', 'äß', true],
  ['^\\d{4}-\\d\\d$', '2026-11', true],
  ['^.$', '🦊', true],
])('%s on %s', (source, text, matches) => expect(open(source).test(text)).toBe(matches));

test.each(['(a+)+$', '(a|aa)+$', '^(([a-z])+.)+[A-Z]([a-z])+$', '(.*a){12}$', '(?:a?){60}a{60}$', '(a|b)*a(a|b){60}$'])(
  'what blows up backtracking engines is quick here: %s',
  (source) => {
    const pattern = open(source);
    const startedAt = performance.now();
    pattern.test(`${'a'.repeat(1998)}!`);
    pattern.test('ab'.repeat(1000));
    expect(performance.now() - startedAt).toBeLessThan(500);
  },
);

test('longer text is not looked at', () => expect(open('a').test('a'.repeat(2001))).toBe(false));

test.each([
  ['(', 'JavaScript'],
  ['[[:alpha:]]', 'JavaScript'],
  ['(?<=a)b', 'RE2'],
  ['(?=a)b', 'RE2'],
  ['(a)\\1', 'RE2'],
  ['\\u0041', 'RE2'],
  ['((a{30}){30}){30}', 'RE2'],
  ['(?:a?){200}a{200}', 'too complex'],
  ['a'.repeat(201), '200 characters'],
])('refuses %s', (source, reason) => {
  const result = compilePattern(source);
  expect(result.ok ? 'accepted' : result.reason).toContain(reason);
});
