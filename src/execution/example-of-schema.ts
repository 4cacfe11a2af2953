import { isObject, type Json } from '#kit/index.ts';
import type { JsonObject } from '#resources/index.ts';

/** A value that the schema probably accepts: what it names as one, else the smallest of its type. */
export function exampleOf(schema: Json | undefined): Json {
  if (!isObject(schema)) {
    return null;
  }
  const named = [first(schema['examples']), schema['default'], schema['const'], first(schema['enum'])];
  const given = named.find((value) => value !== undefined);
  if (given !== undefined) {
    return given;
  }
  const chosen = first(schema['anyOf']) ?? first(schema['oneOf']);
  return chosen === undefined ? smallest(schema) : exampleOf(chosen);
}

function smallest(schema: JsonObject): Json {
  switch (typeOf(schema)) {
    case 'object': {
      const properties = Object.entries((schema['properties'] ?? {}) as JsonObject);
      return Object.fromEntries(properties.map(([name, property]) => [name, exampleOf(property)]));
    }
    case 'array': {
      const count = Math.min(Math.max(1, numberOf(schema['minItems'], 1)), 10);
      return Array.from({ length: count }, () => exampleOf(schema['items']));
    }
    case 'string':
      return 'text'
        .slice(0, numberOf(schema['maxLength'], 4))
        .padEnd(Math.min(numberOf(schema['minLength'], 0), 200), '.');
    case 'integer':
    case 'number':
      return numberOf(schema['minimum'], Math.min(1, numberOf(schema['maximum'], 1)));
    case 'boolean':
      return true;
    default:
      return null;
  }
}

function typeOf({ type, properties }: JsonObject): Json | undefined {
  return first(type) ?? (typeof type === 'string' ? type : properties === undefined ? undefined : 'object');
}

function first(value: Json | undefined): Json | undefined {
  return Array.isArray(value) ? value[0] : undefined;
}

function numberOf(value: Json | undefined, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}
