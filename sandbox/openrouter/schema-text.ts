import { openRandom } from './seeded-random.ts';
import type { SeededRandom } from './seeded-random.ts';

type Schema = Record<string, unknown>;

const MAX_DEPTH = 8;

const formats: Record<string, string> = {
  date: '2026-01-15',
  'date-time': '2026-01-15T09:30:00Z',
  time: '09:30:00Z',
  email: 'simulated@example.com',
  uri: 'https://example.com/simulated',
  uuid: '00000000-0000-4000-8000-000000000000',
};

/** A JSON value that satisfies a JSON Schema as far as structured outputs go (no patterns, no conditionals). */
export function composeJson(schema: unknown, seed: string, keywords: readonly string[]): unknown {
  return compose(asSchema(schema), { root: asSchema(schema), random: openRandom(seed, 'json'), keywords, depth: 0 });
}

interface Place {
  root: Schema;
  random: SeededRandom;
  keywords: readonly string[];
  depth: number;
}

function compose(given: Schema, place: Place): unknown {
  const schema = resolve(given, place.root);
  if ('const' in schema) {
    return schema['const'];
  }
  if (Array.isArray(schema['enum']) && schema['enum'].length > 0) {
    return schema['enum'][place.random.integer(0, schema['enum'].length - 1)];
  }
  switch (typeOf(schema)) {
    case 'object':
      return composeObject(schema, place);
    case 'array':
      return composeArray(schema, place);
    case 'string':
      return composeString(schema, place);
    case 'integer':
    case 'number':
      return composeNumber(schema, place.random);
    case 'boolean':
      return place.random.integer(0, 1) === 1;
    default:
      return null;
  }
}

function composeObject(schema: Schema, place: Place): Record<string, unknown> {
  const properties = asSchema(schema['properties']);
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const isDeep = place.depth >= MAX_DEPTH;
  const names = Object.keys(properties).filter((name) => !isDeep || required.includes(name));
  if (place.depth > MAX_DEPTH * 2) {
    return {};
  }
  return Object.fromEntries(
    names.map((name) => [name, compose(asSchema(properties[name]), { ...place, depth: place.depth + 1 })]),
  );
}

function composeArray(schema: Schema, place: Place): unknown[] {
  const least = numberOf(schema['minItems'], 0);
  const most = numberOf(schema['maxItems'], Math.max(least, 3));
  const count = place.depth >= MAX_DEPTH ? least : Math.min(Math.max(least, 2), most, 50);
  return Array.from({ length: count }, () => compose(asSchema(schema['items']), { ...place, depth: place.depth + 1 }));
}

function composeString(schema: Schema, { random, keywords }: Place): string {
  const known = formats[String(schema['format'])];
  if (known !== undefined) {
    return known;
  }
  const word = keywords.length > 0 ? keywords[random.integer(0, keywords.length - 1)] : 'answer';
  const least = Math.min(numberOf(schema['minLength'], 0), 10_000);
  return `simulated ${word}`.padEnd(least, '.').slice(0, numberOf(schema['maxLength'], 10_000));
}

function composeNumber(schema: Schema, random: SeededRandom): number {
  const least = numberOf(schema['minimum'], numberOf(schema['exclusiveMinimum'], 0) + 1);
  const most = numberOf(schema['maximum'], numberOf(schema['exclusiveMaximum'], least + 101) - 1);
  const step = numberOf(schema['multipleOf'], 1);
  const value = Math.ceil(random.integer(Math.ceil(least), Math.max(Math.ceil(least), Math.floor(most))) / step) * step;
  return value > most ? least : value;
}

function resolve(schema: Schema, root: Schema, hops = 0): Schema {
  if (hops > MAX_DEPTH) {
    return {};
  }
  const reference = schema['$ref'];
  if (typeof reference === 'string' && reference.startsWith('#/')) {
    const path = reference.slice(2).split('/');
    return resolve(asSchema(path.reduce<unknown>((at, part) => asSchema(at)[part], root)), root, hops + 1);
  }
  const choices = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(choices) && choices.length > 0) {
    return resolve(asSchema(choices[0]), root, hops + 1);
  }
  if (Array.isArray(schema['allOf'])) {
    return Object.assign(
      {},
      schema,
      ...schema['allOf'].map((part) => resolve(asSchema(part), root, hops + 1)),
    ) as Schema;
  }
  return schema;
}

function typeOf(schema: Schema): unknown {
  const type = Array.isArray(schema['type']) ? schema['type'][0] : schema['type'];
  return type ?? ('properties' in schema ? 'object' : 'items' in schema ? 'array' : 'string');
}

function asSchema(value: unknown): Schema {
  return value !== null && typeof value === 'object' ? (value as Schema) : {};
}

function numberOf(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise;
}
