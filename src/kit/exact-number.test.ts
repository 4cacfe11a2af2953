import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isExactNumber, parseExactJson, readNumber } from './exact-number.ts';

test.each([
  '9007199254740993',
  '-9007199254740993',
  '12345678901234567890',
  '0.1234567890123456789',
  '100000000000000000000000',
  '1e-400',
])('the number %s keeps its digits through JSON', (digits) => {
  const read = readNumber(digits);
  expect(isExactNumber(read)).toBe(true);
  expect(JSON.stringify({ value: read })).toBe(`{"value":${digits}}`);
  expect(JSON.stringify(parseExactJson(`{"value":${digits}}`))).toBe(`{"value":${digits}}`);
});

test.each([
  ['0', 0],
  ['-7', -7],
  ['1.50', 1.5],
  ['1e3', 1000],
  ['0.30000000000000004', 0.30000000000000004],
  ['9007199254740992', 9_007_199_254_740_992],
  [`0.5${'0'.repeat(200)}`, 0.5],
  ['1e400', null],
  [`1.${'1'.repeat(200)}`, null],
])('the number %s is read as %s', (digits, value) => {
  expect(readNumber(digits)).toBe(value);
});

test('what a double holds is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(readNumber(JSON.stringify(value))).toBe(value === 0 ? 0 : value);
    }),
  );
});
