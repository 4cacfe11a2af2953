import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseExactJson } from '#kit/index.ts';
import { parameterSchema, type Parameter } from './parameter.ts';
import { parseInput } from './parse-input.ts';
import { toInputExample, toInputSchema } from './to-input-schema.ts';

type Given = Partial<Parameter> & { name: string };

function contract(parameters: Given[], allowsUserMessage = false) {
  const parsed = parameters.map((parameter) => parameterSchema.parse(parameter));
  return { parameters: parsed, inputSchema: toInputSchema(parsed, { allowsUserMessage }) };
}

function messages(version: ReturnType<typeof contract>, body: unknown, isText = false) {
  const result = parseInput(version, body, { isText });
  return result.ok ? [] : result.fields.map(({ path, message }) => `${path} ${message}`);
}

const every = contract([
  { name: 'topic', minLength: 2, maxLength: 5 },
  { name: 'tone', type: 'enum', options: ['warm', 'dry'], default: 'dry' },
  { name: 'lines', type: 'integer', minimum: 1, maximum: 9, required: false },
  { name: 'heat', type: 'number', required: false },
  { name: 'rhyme', type: 'boolean', required: false },
  { name: 'code', pattern: '^[a-z]+$', required: false },
]);

test('accepts what the parameters allow and fills in defaults', () => {
  expect(parseInput(every, { topic: 'frogs', lines: 3 })).toEqual({
    ok: true,
    input: { topic: 'frogs', lines: 3, tone: 'dry' },
  });
});

test.each([
  [{}, ['/topic `topic` is missing.']],
  [{ topic: 'a' }, ['/topic `topic` must have at least 2 characters.']],
  [{ topic: 'abcdef' }, ['/topic `topic` must have at most 5 characters.']],
  [{ topic: 7 }, ['/topic `topic` must be a string.']],
  [{ topic: null }, ['/topic `topic` is missing: null counts as no value.']],
  [{ topic: 'frogs', stranger: null }, ['/stranger `stranger` is not a parameter of this resource.']],
  [{ topic: 'ab', tone: 'sad' }, ['/tone `tone` must be one of "warm", "dry".']],
  [{ topic: 'ab', lines: 0 }, ['/lines `lines` must be at least 1.']],
  [{ topic: 'ab', lines: 10 }, ['/lines `lines` must be at most 9.']],
  [{ topic: 'ab', lines: 1.5 }, ['/lines `lines` must be an integer.']],
  [{ topic: 'ab', lines: '3' }, ['/lines `lines` must be an integer.']],
  [{ topic: 'ab', heat: JSON.parse('1e400') }, ['/heat `heat` must be a number.']],
  [{ topic: 'ab', rhyme: 'true' }, ['/rhyme `rhyme` must be a boolean.']],
  [{ topic: 'ab', code: 'A1' }, ['/code `code` must match the pattern ^[a-z]+$.']],
  [{ topic: 'ab', 'a/b~c': 1 }, ['/a~1b~0c `a/b~c` is not a parameter of this resource.']],
  [JSON.parse('{"topic":"ab","__proto__":{"x":1}}'), ['/__proto__ `__proto__` is not a parameter of this resource.']],
  [{ topic: 'ab', user_message: 'hi' }, ['/user_message `user_message` is not a parameter of this resource.']],
  [{ topic: 1, lines: 99 }, ['/topic `topic` must be a string.', '/lines `lines` must be at most 9.']],
])('refuses %j', (body, expected) => expect(messages(every, body)).toEqual(expected));

test.each([null, 'text', 3, [], [{}], undefined])('refuses a body that is no object: %j', (body) =>
  expect(messages(every, body)).toEqual([' Send a JSON object with the parameters as fields.']),
);

test('does not drown in unknown fields', () => {
  const body = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`x${index}`, 1]));
  expect(messages(every, body(90))).toHaveLength(20);
  expect(messages(every, body(5000))).toEqual([' Send at most 100 fields.']);
});

test('a parameter named like something every object inherits is still missing when it is missing', () => {
  const version = contract([{ name: 'toString' }]);
  expect(messages(version, {})).toEqual(['/toString `toString` is missing.']);
});

test('each parameter is checked by its own pattern', () => {
  const version = contract([
    { name: 'a', pattern: '^a$' },
    { name: 'b', pattern: '^b$' },
  ]);
  expect(parseInput(version, { a: 'a', b: 'b' }).ok).toBe(true);
  expect(messages(version, { a: 'b', b: 'a' })).toHaveLength(2);
});

test('takes a user message only where the resource allows one', () => {
  const version = contract([], true);
  expect(parseInput(version, { user_message: 'hello' })).toEqual({ ok: true, input: { user_message: 'hello' } });
  expect(parseInput(version, {}).ok).toBe(true);
  expect(messages(version, { user_message: 'x'.repeat(20_001) })).toHaveLength(1);
});

describe('from a query string', () => {
  test('reads numbers and booleans', () => {
    const query = { topic: '12', lines: '3', heat: '-1.5e2', rhyme: 'false' };
    expect(parseInput(every, query, { isText: true })).toEqual({
      ok: true,
      input: { topic: '12', lines: 3, heat: -150, rhyme: false, tone: 'dry' },
    });
  });

  test.each([['0x10'], [''], [' 3'], ['3abc'], ['NaN'], ['Infinity'], ['1e999'], ['03']])('leaves %j alone', (lines) =>
    expect(messages(every, { topic: 'ab', lines }, true)).toEqual(['/lines `lines` must be an integer.']),
  );
});

test('the example it shows is accepted', () => {
  const version = contract([
    { name: 'a', minLength: 30 },
    { name: 'b', type: 'integer', minimum: 5 },
    { name: 'c', type: 'number', maximum: -2.5 },
    { name: 'd', type: 'boolean' },
    { name: 'e', type: 'enum', options: ['x'] },
    { name: 'f', pattern: '^z$', example: 'z' },
    { name: 'g', maxLength: 1, required: false },
  ]);
  expect(messages(version, toInputExample(version.parameters))).toEqual([]);
});

test('null for an optional parameter is an absent one, which gets its default', () => {
  expect(parseInput(every, { topic: 'frogs', tone: null, lines: null, heat: null, code: null })).toEqual({
    ok: true,
    input: { topic: 'frogs', tone: 'dry' },
  });
  const withMessage = contract([{ name: 'topic', required: false }], true);
  expect(parseInput(withMessage, { topic: null, user_message: null })).toEqual({ ok: true, input: {} });
});

test('agrees with a plain ajv that reads the published schema', () => {
  const oracle = new Ajv2020({ strict: false, ownProperties: true }).compile(every.inputSchema);
  const name = fc.constantFrom('topic', 'tone', 'lines', 'heat', 'rhyme', 'code', 'other', 'toString');
  const value = fc.oneof(
    fc.constantFrom<unknown>('warm', 'dry', 'ab', 'abcde', 1, 9, 10, 1.5, true, null, 2 ** 53),
    fc.jsonValue(),
  );
  const body = fc.array(fc.tuple(name, value), { maxLength: 6 }).map((entries) => Object.fromEntries(entries));
  const property = fc.property(body, (input) => {
    // The oracle fills in no defaults and does not need to: they are never required.
    const known = Object.keys(every.inputSchema['properties'] as object);
    const written = Object.entries(input).filter(([key, item]) => item !== null || !known.includes(key));
    expect(parseInput(every, input).ok).toBe(oracle(Object.fromEntries(written)));
  });
  fc.assert(property, { numRuns: 2000 });
});

const exact = contract([
  { name: 'id', type: 'integer', required: false, maximum: 9_007_199_254_740_992 },
  { name: 'snowflake', type: 'integer', required: false },
  { name: 'ratio', type: 'number', required: false },
  { name: 'name', required: false },
]);
const given = (text: string) => parseExactJson(text);

test.each([
  ['{"snowflake":9007199254740993}', { snowflake: '9007199254740993' }],
  ['{"ratio":0.1234567890123456789}', { ratio: '0.1234567890123456789' }],
])('a number that a double would change is kept digit for digit: %s', (body, query) => {
  const fromJson = parseInput(exact, given(body));
  expect(JSON.stringify(fromJson.ok && fromJson.input)).toBe(body);
  const fromQuery = parseInput(exact, query, { isText: true });
  expect(JSON.stringify(fromQuery.ok && fromQuery.input)).toBe(body);
});

test.each([
  ['{"id":9007199254740993}', '/id `id` must be at most 9007199254740992.'],
  ['{"snowflake":12345678901234567890.5}', '/snowflake `snowflake` must be an integer.'],
  ['{"name":9007199254740993}', '/name `name` must be a string.'],
  ['{"other":9007199254740993}', '/other `other` is not a parameter of this resource.'],
])('a number that a double would change is held to its rules by its own digits: %s', (body, message) => {
  expect(messages(exact, given(body))).toEqual([message]);
});
