import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJsonExact } from './parse-json.ts';

type Reviver = (key: string, value: unknown, context: { source: string }) => unknown;

/** The same by the parser itself, which is slow. */
function parseSlowly(text: string): unknown {
  const keepText: Reviver = (key, value, { source }) => (typeof value === 'number' && key === 'cost' ? source : value);
  return JSON.parse(text, keepText as Parameters<typeof JSON.parse>[1]);
}

const name = fc.oneof(fc.constantFrom('cost', 'a"cost', 'cost"', '\\\\', '"cost":1,', 'costs'), fc.string());
const number = fc.constantFrom('0', '-0', '0.10', '1e-7', '0.00000000000000000001', '-1.5E+3', '12345678901234567890');
const space = fc.constantFrom('', ' ', '\n', '\t ');

/** JSON as text, with numbers in forms that no float keeps. */
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    number,
    name.map((text) => JSON.stringify(text)),
    fc.constantFrom('null', 'true'),
    fc.array(tie('json'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
    fc
      .array(fc.tuple(name, space, space, tie('json'), space), { maxLength: 4 })
      .map(
        (items) => `{${items.map(([key, a, b, value, c]) => `${JSON.stringify(key)}${a}:${b}${value}${c}`).join(',')}}`,
      ),
  ),
}));

test('numbers under a name keep every digit, and nothing else is changed', () => {
  fc.assert(
    fc.property(json, (text) => {
      expect(parseJsonExact(text, ['cost'])).toEqual(parseSlowly(text));
    }),
    { numRuns: 1_000 },
  );
});

test.each(['{"cost":01}', '{"cost":1.}', '{"cost":.5}', '{"cost":1', '{"cost":+1}', '"cost":1', '{"cost":1 2}'])(
  '%s is no JSON here either',
  (text) => {
    expect(() => parseJsonExact(text, ['cost'])).toThrow(SyntaxError);
  },
);
