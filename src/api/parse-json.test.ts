import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isExactNumber, Problem } from '#kit/index.ts';
import { parseJson } from './parse-json.ts';

function refusal(text: string): Problem {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof Problem) {
      return error;
    }
    throw error;
  }
  throw new Error(`accepted ${text}`);
}

function outcome(parse: (text: string) => unknown, text: string): { isRead: boolean; value?: unknown } {
  try {
    return { isRead: true, value: parse(text) };
  } catch (error) {
    if (error instanceof Problem || error instanceof SyntaxError) {
      return { isRead: false };
    }
    throw error;
  }
}

const json = fc.jsonValue({ maxDepth: 6 }).map((value) => JSON.stringify(value));

function hasTrap(text: string): boolean {
  return /\\u0000|__proto__|\\ud[89a-f]|e\+?[0-9]{3}|(?<![.\d])\d{16,}(?![.\de])/i.test(text);
}

test('reads what JSON.parse reads', () => {
  fc.assert(
    fc.property(
      json.filter((text) => !hasTrap(text)),
      (text) => {
        expect(parseJson(text)).toEqual(JSON.parse(text));
        expect(parseJson(` \n\t${text}\r `)).toEqual(JSON.parse(text));
      },
    ),
    { numRuns: 2000 },
  );
});

test('accepts nothing that JSON.parse refuses, and fails only with a problem', () => {
  const broken = fc
    .tuple(
      json,
      fc.nat(),
      fc.nat({ max: 3 }),
      fc.constantFrom('', ',', '"', '{', ']', ':', '\\', '1', '-', 'e', '.', '\u0001', 'true', '\u00a0'),
    )
    .map(([text, at, cut, insert]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + insert + text.slice(place + cut);
    });
  fc.assert(
    fc.property(broken, (text) => {
      const ours = outcome(parseJson, text);
      const standard = outcome(JSON.parse, text);
      fc.pre(!standard.isRead || (!hasTrap(text) && !/"([^"]*)"\s*:.*"\1"\s*:/s.test(text)));
      expect(ours).toEqual(standard);
    }),
    { numRuns: 5000 },
  );
});

test.each([
  ['{"a":1,"a":2}', '', 'position 7'],
  ['{"x":{"a":1,"\\u0061":2}}', '/x', 'position 12'],
  ['{"__proto__":{"admin":true}}', '', '__proto__'],
  ['{"a":[1,{"b":"\\u0000"}]}', '/a/1/b', 'NUL'],
  ['{"a":"\\ud800"}', '/a', 'surrogate'],
  ['{"a":1e999}', '/a', 'too large'],
  ['{"a/b":01}', '', 'was expected'],
  ['{"a":\n tru}', '/a', 'line 2, column 2'],
  ['{"a":1,}', '', 'comma'],
  ['', '', 'ends too early'],
  ['{"a"', '', 'ends too early'],
  ['"a', '', 'not closed'],
  ['"\\x"', '', 'escape'],
  ["{'a':1}", '', 'double quotes'],
  ['NaN', '', 'expected'],
  ['1 2', '', 'after the end'],
])('refuses %s and says where', (text, pointer, words) => {
  const problem = refusal(text);
  expect(problem.code).toBe('invalid_input');
  expect(problem.message).toContain(words);
  expect(problem.fields[0]?.path).toBe(pointer);
});

test('bounds the depth, and with it the stack', () => {
  expect(parseJson('['.repeat(32) + ']'.repeat(32))).toBeDefined();
  expect(refusal('['.repeat(33) + ']'.repeat(33)).message).toContain('deeper than 32');
  expect(refusal('['.repeat(100_000)).message).toContain('deeper than 32');
  expect(refusal('{"a":'.repeat(100_000)).message).toContain('deeper than 32');
});

test('a long text costs linear time', () => {
  const long = `"${'\\n'.repeat(100_000)}`;
  expect(refusal(long).message).toContain('not closed');
  expect(parseJson(`${long}"`)).toHaveLength(100_000);
});

test.each(['9007199254740993', '-12345678901234567890', '[1, 9007199254740993]'])(
  'an integer that a double would change keeps its digits or is refused, and is never another one: %s',
  (text) => {
    expect(refusal(text).message).toContain('more digits than are kept');
    expect(JSON.stringify(parseJson(text, { keepsDigits: true }))).toBe(text.replace(' ', ''));
  },
);

test.each(['9007199254740992', '0.1', '1e3', '0.30000000000000004'])('the number %s is a plain one', (text) => {
  expect(isExactNumber(parseJson(text, { keepsDigits: true }))).toBe(false);
});
