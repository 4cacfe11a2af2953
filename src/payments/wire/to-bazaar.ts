import type { Json } from '#kit/index.ts';
import { describeInput, toRecord, type JsonSchema } from './describe-input.ts';

/** The methods that are paid: parameters in the query, or in a JSON body. */
export type Method = 'GET' | 'POST';

export interface BazaarInput {
  inputSchema: JsonSchema;
  inputExample: Record<string, unknown>;
  /** Of an answer: its JSON Schema, and one such answer. */
  outputSchema: JsonSchema;
  outputExample: JsonSchema;
}

interface Told {
  method: Method;
  detail: Detail;
}

/** How much of the input is told; the challenge takes the first that fits. */
export const details = ['all', 'no descriptions', 'no examples', 'names and types', 'none'] as const;
export type Detail = (typeof details)[number];

/** `extensions.bazaar` of version 2: `info`, and the JSON Schema (2020-12) that `info` satisfies. */
export function toBazaar(input: BazaarInput, { method, detail }: Told): { info: Json; schema: Json } {
  const { schema, example } = reduce(input, detail);
  const isQuery = method === 'GET';
  const place = isQuery ? { queryParams: example } : { bodyType: 'json', body: example };
  const shape: JsonSchema = isQuery
    ? { queryParams: schema }
    : { bodyType: { type: 'string', enum: ['json', 'form-data', 'text'] }, body: schema };
  return {
    info: {
      input: { type: 'http', method, ...place },
      output: { type: 'json', example: input.outputExample },
    },
    schema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        input: {
          type: 'object',
          properties: {
            type: { type: 'string', const: 'http' },
            method: { type: 'string', enum: [method] },
            ...shape,
          },
          required: ['type', 'method', ...(isQuery ? [] : ['bodyType', 'body'])],
          additionalProperties: false,
        },
        output: {
          type: 'object',
          properties: { type: { type: 'string' }, example: toOutputSchema(input) },
          required: ['type'],
        },
      },
      required: ['input'],
    },
  };
}

/** `outputSchema` of version 1, in the shape that version 1 clients and catalogues read. */
export function toOutputSchemaV1(input: BazaarInput, { method, detail }: Told): Json {
  const { schema } = reduce(input, detail);
  const fields = toRecord(schema['properties']);
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const described = Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, { ...toRecord(field), required: required.includes(name) }]),
  );
  const place = method === 'GET' ? { queryParams: described } : { bodyType: 'json', bodyFields: described };
  return { input: { type: 'http', method, discoverable: true, ...place }, output: toOutputSchema(input) };
}

/** What can be read of an answer by name; the rest is in the OpenAPI document. An answer may hold more: its receipt. */
function toOutputSchema({ outputSchema }: BazaarInput): JsonSchema {
  return toRecord(toForm(withoutReferences(outputSchema)));
}

const LEFT_OUT: ReadonlySet<string> = new Set([
  '$schema',
  'description',
  'title',
  'default',
  'additionalProperties',
  'minimum',
  'maximum',
]);

/** A property may have the name of a keyword; its value is a schema then. */
function toForm(value: Json): Json {
  if (Array.isArray(value)) {
    return value.map(toForm);
  }
  if (value === null || typeof value !== 'object') {
    return value;
  }
  const kept = Object.entries(value).filter(([keyword, item]) => !LEFT_OUT.has(keyword) || typeof item === 'object');
  return Object.fromEntries(kept.map(([keyword, item]) => [keyword, toForm(item)]));
}

function reduce(input: BazaarInput, detail: Detail): { schema: JsonSchema; example: { [name: string]: Json } } {
  const { $schema: _, ...schema } = withoutReferences(input.inputSchema);
  switch (detail) {
    case 'all':
      return describeInput({ ...schema, type: 'object' }, input.inputExample);
    case 'no descriptions':
      return describeInput(dropKeywords(schema, ['description', 'title']), input.inputExample);
    case 'no examples':
      return describeInput(dropKeywords(schema, ['description', 'title', 'default', 'examples']), {});
    case 'names and types':
      return { schema: { type: 'object', properties: toTypes(schema) }, example: {} };
    case 'none':
      return { schema: { type: 'object' }, example: {} };
  }
}

/** References could point outside the document, which catalogues refuse; a schema that uses them is not told at all. */
function withoutReferences(schema: JsonSchema): JsonSchema {
  return /"\$(?:ref|id|dynamicRef|anchor)":/.test(JSON.stringify(schema)) ? { type: 'object' } : schema;
}

function dropKeywords(schema: JsonSchema, keywords: readonly string[]): JsonSchema {
  const drop = (value: JsonSchema) =>
    Object.fromEntries(Object.entries(value).filter(([keyword]) => !keywords.includes(keyword)));
  const properties = Object.entries(toRecord(schema['properties'])).map(([name, property]): [string, Json] => [
    name,
    drop(toRecord(property)),
  ]);
  return { ...drop(schema), type: 'object', properties: Object.fromEntries(properties) };
}

function toTypes(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(
    Object.entries(toRecord(schema['properties'])).map(([name, property]) => {
      const { type } = toRecord(property);
      return [name, type === undefined ? {} : { type }];
    }),
  );
}
