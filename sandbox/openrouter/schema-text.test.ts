import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { composeJson } from './schema-text.ts';

const ajv = new Ajv2020({ strict: false, validateFormats: false });

const schemas: [name: string, schema: Record<string, unknown>][] = [
  ['string bounds', { type: 'string', minLength: 30, maxLength: 32 }],
  ['number bounds', { type: 'number', minimum: 2.5, maximum: 3.5 }],
  ['exclusive bounds', { type: 'integer', exclusiveMinimum: 4, exclusiveMaximum: 7 }],
  ['steps', { type: 'integer', minimum: 1, maximum: 100, multipleOf: 7 }],
  ['array bounds', { type: 'array', minItems: 4, maxItems: 4, items: { type: 'boolean' } }],
  ['null or text', { type: ['string', 'null'] }],
  [
    'constant and choice',
    { type: 'object', required: ['a', 'b'], properties: { a: { const: 7 }, b: { enum: ['x', 'y'] } } },
  ],
  [
    'references and unions',
    {
      $defs: { leaf: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } } },
      type: 'array',
      items: { anyOf: [{ $ref: '#/$defs/leaf' }, { type: 'null' }] },
    },
  ],
  [
    'recursion',
    {
      $defs: { node: { type: 'object', properties: { children: { type: 'array', items: { $ref: '#/$defs/node' } } } } },
      $ref: '#/$defs/node',
    },
  ],
];

test.each(schemas)('%s: the value satisfies the schema, the same each time', (_name, schema) => {
  const validate = ajv.compile(schema);
  for (const seed of ['a', 'b', 'c', 'd', 'e']) {
    const value = composeJson(schema, seed, ['lighthouse']);
    expect({ value, isValid: validate(value) }).toStrictEqual({ value, isValid: true });
    expect(composeJson(schema, seed, ['lighthouse'])).toStrictEqual(value);
  }
});

test('a schema that refers to itself without end still yields a value', () => {
  const schema = { $defs: { loop: { anyOf: [{ $ref: '#/$defs/loop' }] } }, $ref: '#/$defs/loop' };
  expect(composeJson(schema, 'a', [])).toBeTypeOf('string');
});
