import { expect, test } from 'vitest';
import { checkOutputSchema, openContract, warnOfSchema } from './output-contract.ts';

const census = {
  type: 'object',
  properties: { city: { type: 'string' }, people: { type: 'integer' } },
  required: ['city', 'people'],
  additionalProperties: false,
};
const read = (outputSchema: Record<string, unknown>, text: string) => openContract({ outputSchema })?.read(text);

test.each([
  ['plain', '{"city":"Oslo","people":7}'],
  ['with a mark of byte order', '\ufeff{"city":"Oslo","people":7}'],
  ['in a fence', '```json\n{"city":"Oslo","people":7}\n```'],
  ['in a fence after a sentence', 'Of course:\n\n```\n{"city":"Oslo","people":7}\n```\nAnything else?'],
  ['after a sentence', 'Here it is: {"city":"Oslo","people":7}'],
  ['before a sentence', '{"city":"Oslo","people":7} That is all.'],
  ['in a fence of one line', '```{"city":"Oslo","people":7}```'],
  ['in a fence that is never closed', '```json\n{"city":"Oslo","people":7}'],
  ['in a fence after a sentence with a brace', 'Sure {x}:\n```json\n{"city":"Oslo","people":7}\n```'],
  ['in a fence before another one', '```json\n{"city":"Oslo","people":7}\n```\nas in\n```\nelse\n```'],
])('JSON is read %s', (_how, text) => {
  expect(read(census, text)).toEqual({ ok: true, output: { city: 'Oslo', people: 7 } });
});

test('a fence inside a text of the JSON ends nothing', () => {
  const text = '```json\n{"city":"``` {x} ```","people":7}\n```';
  expect(read(census, text)).toEqual({ ok: true, output: { city: '``` {x} ```', people: 7 } });
});

test.each([
  ['what is no JSON', 'Oslo has 7 people.', 'not JSON'],
  ['a list', '[]', 'must be object'],
  ['a member that is missing', '{"city":"Oslo"}', "required property 'people'"],
  ['a member too many, also one called __proto__', '{"city":"Oslo","people":7,"__proto__":1}', 'additional properties'],
  ['a number that is no integer', '{"city":"Oslo","people":7.5}', '/people must be integer'],
])('an answer does not fit: %s', (_what, text, fault) => {
  const found = read(census, text);
  expect(found?.ok === false && found.faults.join()).toContain(fault);
});

test('faults name places and rules, never what the model wrote there', () => {
  const found = read(census, '{"city":["canary"],"people":"canary"}');
  expect(found?.ok).toBe(false);
  expect(JSON.stringify(found)).not.toContain('canary');
});

test('definitions are written out where they are used, so the schema that is sent and shown names no other place', () => {
  const schema = {
    type: 'object',
    properties: { home: { $ref: '#/$defs/place', description: 'Where.' }, work: { $ref: '#/$defs/place' } },
    $defs: { place: { type: 'object', properties: { name: { type: 'string' } } } },
  };
  const contract = openContract({ outputSchema: schema });
  expect(JSON.stringify(contract?.schema)).not.toMatch(/\$ref|\$defs/);
  expect(contract?.schema).toMatchObject({ properties: { home: { description: 'Where.', type: 'object' } } });
  expect(contract?.example).toEqual({ home: { name: 'text' }, work: { name: 'text' } });
  expect(contract?.read('{"home":{"name":7}}').ok).toBe(false);
});

test.each([
  ['its root is no object', { type: 'array' }, '/config/outputSchema/type'],
  ['it is of another dialect', { type: 'object', $schema: 'http://json-schema.org/draft-07/schema#' }, '$schema'],
  ['a keyword is not known', { type: 'object', patternProperties: {} }, 'patternProperties'],
  ['a value of a keyword is wrong', { type: 'object', properties: { a: { minimum: 'x' } } }, '/config/outputSchema'],
  ['it is too long', { type: 'object', description: 'x'.repeat(20_000) }, '16000 characters'],
  ['a pattern could run for ever elsewhere', { type: 'object', properties: { a: { pattern: '(a)\\1' } } }, 'pattern'],
])('a schema is refused because %s', (_why, schema, told) => {
  expect(JSON.stringify(checkOutputSchema(schema))).toContain(told);
});

test('a schema that is small and becomes huge when written out is refused at once', () => {
  const ref = (name: string) => ({ $ref: `#/$defs/${name}` });
  const $defs = Object.fromEntries(
    Array.from({ length: 6 }, (_, level) => [
      `d${level}`,
      level === 5 ? { type: 'string' } : { anyOf: Array.from({ length: 10 }, () => ref(`d${level + 1}`)) },
    ]),
  );
  const found = checkOutputSchema({ type: 'object', properties: { a: ref('d0') }, $defs });
  expect(JSON.stringify(found)).toContain('at most 300 parts');
});

test('the widest schema that is taken compiles and judges a megabyte in a moment', () => {
  const properties = Object.fromEntries(
    Array.from({ length: 140 }, (_, index) => [`p${index}`, { type: 'array', items: { type: 'string' } }]),
  );
  const schema = { type: 'object', properties };
  expect(checkOutputSchema(schema)).toEqual([]);
  const text = JSON.stringify({ p0: Array.from({ length: 90_000 }, () => 'word word') });
  const startedAt = performance.now();
  expect(read(schema, text)?.ok).toBe(true);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});

test('a strict schema has no warning; each object that leaves something open has one with its place', () => {
  expect(warnOfSchema(census)).toEqual([]);
  const loose = { ...census, properties: { ...census.properties, list: { type: 'array', items: { type: 'object' } } } };
  expect(warnOfSchema(loose).map(({ path }) => path)).toEqual([
    '/config/outputSchema',
    '/config/outputSchema/properties/list/items',
  ]);
});

test('a definition that is long and named often is refused: what is sent and paid for is the schema written out', () => {
  const properties = Object.fromEntries(Array.from({ length: 140 }, (_, i) => [`p${i}`, { $ref: '#/$defs/d' }]));
  const d = { type: 'string', description: 'word '.repeat(1_800) };
  expect(JSON.stringify(checkOutputSchema({ type: 'object', properties, $defs: { d } }))).toContain('written out');
});

test.each([
  ['names in required', { required: Array.from({ length: 501 }, (_, i) => `p${i}`) }],
  ['values in enum', { properties: { a: { enum: Array.from({ length: 501 }, (_, i) => i) } } }],
])('a schema with more than 500 %s is refused', (_what, more) => {
  expect(JSON.stringify(checkOutputSchema({ type: 'object', ...more }))).toContain('at most 500 names');
});

test('an answer of a megabyte that breaks every rule of the widest schema is judged in a moment, in little memory', () => {
  const required = Array.from({ length: 500 }, (_, i) => `p${i}`);
  const schema = { type: 'object', properties: { a: { type: 'array', items: { type: 'object', required } } } };
  expect(checkOutputSchema(schema)).toEqual([]);
  const text = `{"a":[${Array.from({ length: 300_000 }, () => '{}').join(',')}]}`;
  const startedAt = performance.now();
  expect(read(schema, text)).toMatchObject({ ok: false, faults: [expect.stringContaining('/a/0 ')] });
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});

test('of a small answer several faults are told, at most eight', () => {
  const required = Array.from({ length: 20 }, (_, i) => `p${i}`);
  const found = read({ type: 'object', required }, '{}');
  expect(found?.ok === false && found.faults).toHaveLength(8);
});

test.each([
  ['line ends after a fence', `\`\`\`json${'\n'.repeat(1_000_000)}x`],
  ['fences', '```'.repeat(300_000)],
  ['braces', '{'.repeat(1_000_000)],
  ['brackets', `{"a":${'['.repeat(1_000_000)}`],
])('a megabyte of %s is found to be no JSON in a moment', (_what, text) => {
  const startedAt = performance.now();
  expect(read(census, text)).toEqual({ ok: false, faults: ['the answer is not JSON'] });
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});

test('faults name only properties that the schema names, because others are what somebody wrote', () => {
  const inner = { type: 'object', additionalProperties: { type: 'number' } };
  const schema = { type: 'object', properties: { ill: inner, list: { type: 'array', items: inner } } };
  const found = read(schema, '{"ill":{"canary":"x"},"list":[{},{"4111":"x"}]}');
  expect(found).toEqual({ ok: false, faults: ['/ill/* must be number', '/list/1/* must be number'] });
});

test('a property called __proto__ is refused, because no answer would be held to it', () => {
  const schema = JSON.parse('{"type":"object","properties":{"__proto__":{"type":"number"}}}') as object;
  expect(JSON.stringify(checkOutputSchema({ ...schema }))).toContain('__proto__');
});
