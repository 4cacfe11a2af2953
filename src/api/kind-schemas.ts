import type { KindView } from '#resources/index.ts';

type JsonObject = Record<string, unknown>;
type Schemas = Record<string, JsonObject>;

const ref = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` });

/** What a resource of each kind holds and answers: `<kind>.config`, `<kind>.draftConfig` and `<kind>.answer`. */
export function toKindSchemas(kinds: readonly KindView[]): Schemas {
  const schemas: Schemas = {};
  for (const { name, title, configSchema, answerSchema } of kinds) {
    const config = hoistDefinitions(withoutDialect(configSchema), `${name}.config`, schemas);
    const { required: _, ...unfinished } = config;
    const description = `The configuration of a resource of the kind ${title}`;
    schemas[`${name}.config`] = { ...config, description: `${description}, as publishing demands it.` };
    schemas[`${name}.draftConfig`] = {
      ...(withoutDefaults(unfinished) as JsonObject),
      description: `${description}; it may be unfinished.`,
    };
    schemas[`${name}.answer`] = toAnswerSchema(
      hoistDefinitions(withoutDialect(answerSchema), `${name}.answer`, schemas),
    );
  }
  return schemas;
}

function withoutDialect(whole: JsonObject): JsonObject {
  const { $schema: _, ...schema } = whole;
  return schema;
}

/** Defaults in words: clients that are generated from the schema would demand what has one. */
function withoutDefaults(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) {
    return schema;
  }
  if (Array.isArray(schema)) {
    return schema.map(withoutDefaults);
  }
  const { default: byDefault, description, ...rest } = schema as JsonObject;
  const told = byDefault === undefined ? '' : `Unless given: ${JSON.stringify(byDefault)}.`;
  const words = [description, told].filter((text) => typeof text === 'string' && text !== '').join(' ');
  const entries = Object.entries(rest).map(([name, value]) => [name, withoutDefaults(value)]);
  return { ...(Object.fromEntries(entries) as JsonObject), ...(words === '' ? {} : { description: words }) };
}

/** What the server adds to the answer of the kind. */
export function toAnswerSchema(answer: JsonObject): JsonObject {
  const { additionalProperties: _, ...open } = answer;
  return {
    ...open,
    properties: {
      ...(answer['properties'] as JsonObject),
      simulated: { type: 'boolean', const: true, description: 'The upstream was a simulator.' },
      test: { type: 'boolean', const: true, description: 'A test of the owner: nothing was charged.' },
      receipt: ref('Receipt'),
    },
    required: [...((answer['required'] ?? []) as string[]), 'receipt'],
  };
}

/** The body that makes a resource: one schema a kind, told apart by `kind`, with a whole example each. */
export function toCreateBody(kinds: readonly KindView[], body: JsonObject, schemas: Schemas): JsonObject {
  const properties = body['properties'] as JsonObject;
  for (const { name, title, summary } of kinds) {
    const kind = { type: 'string', const: name, description: title };
    schemas[`${name}.draft`] = {
      ...body,
      title,
      description: summary,
      properties: { ...properties, kind, config: ref(`${name}.draftConfig`) },
    };
  }
  const mapping = Object.fromEntries(kinds.map(({ name }) => [name, `#/components/schemas/${name}.draft`]));
  const schema = {
    oneOf: kinds.map(({ name }) => ref(`${name}.draft`)),
    discriminator: { propertyName: 'kind', mapping },
  };
  return { required: true, content: { 'application/json': { schema, examples: toExamples(kinds) } } };
}

function toExamples(kinds: readonly KindView[]): JsonObject {
  const all = kinds.flatMap(({ examples, title }) =>
    examples.map(({ draft }) => [
      String(draft['slug']),
      { summary: `${title}: ${String(draft['name'])}`, value: draft },
    ]),
  );
  return Object.fromEntries(all) as JsonObject;
}

/** An edit names no kind, so its config is that of any. */
export function toAnyConfig(kinds: readonly KindView[]): JsonObject {
  return { anyOf: kinds.map(({ name }) => ref(`${name}.draftConfig`)) };
}

/** What the paid call answers as JSON. */
export function toAnyAnswer(kinds: readonly KindView[]): JsonObject {
  const fallback = { type: 'object', required: ['receipt'], properties: { receipt: ref('Receipt') } };
  return kinds.length === 0 ? fallback : { anyOf: kinds.map(({ name }) => ref(`${name}.answer`)) };
}

/** Recursive schemas name their parts from the root, which inside this document is somewhere else. */
export function hoistDefinitions(schema: JsonObject, prefix: string, schemas: JsonObject): JsonObject {
  const text = JSON.stringify(schema);
  if (!text.includes('"$ref":"#')) {
    return schema;
  }
  const root = `#/components/schemas/${prefix}`;
  const moved = text.replaceAll('"$ref":"#/$defs/', `"$ref":"${root}.`).replaceAll('"$ref":"#"', `"$ref":"${root}"`);
  const { $defs = {}, ...rest } = JSON.parse(moved) as JsonObject & { $defs?: JsonObject };
  for (const [name, definition] of Object.entries($defs)) {
    schemas[`${prefix}.${name}`] = definition;
  }
  schemas[prefix] = rest;
  return rest;
}
