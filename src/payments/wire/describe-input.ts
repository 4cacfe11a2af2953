import { isObject, type Json } from '#kit/index.ts';

export type JsonSchema = { [key: string]: Json };
type Example = { [name: string]: Json };

/** Keywords by which a made-up value is checked; the rest (pattern, format …) is dropped where the value is made up. */
const CHECKED = new Set(['type', 'enum', 'const', 'minimum', 'maximum', 'minLength', 'maxLength']);

/**
 * An input schema and an example that satisfies it, as the bazaar extension wants them. Where the given example
 * lacks a required field or breaks the schema, a value is made up from default, enum, bounds and type.
 */
export function describeInput(
  schema: JsonSchema,
  given: Record<string, unknown>,
): { schema: JsonSchema; example: Example } {
  const properties = toRecord(schema['properties']);
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const described: JsonSchema = {};
  const example: Example = {};
  for (const [name, declared] of Object.entries(properties)) {
    const property = toRecord(declared);
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value !== undefined && fits(property, value)) {
      example[name] = value;
      described[name] = declared;
    } else if (required.includes(name)) {
      example[name] = inventValue(property);
      described[name] = onlyChecked(property);
    } else {
      described[name] = declared;
    }
  }
  return { schema: { ...schema, properties: described }, example };
}

function onlyChecked(property: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(property).filter(([keyword]) => CHECKED.has(keyword) || isText(keyword)));
}

function isText(keyword: string): boolean {
  return keyword === 'description' || keyword === 'title';
}

function fits(property: JsonSchema, value: unknown): value is string | number | boolean {
  const choices = property['enum'];
  if (Array.isArray(choices) && !choices.some((choice) => choice === value)) {
    return false;
  }
  if ('const' in property && property['const'] !== value) {
    return false;
  }
  if (typeof value === 'string') {
    const characters = Array.from(value).length;
    return allows(property, 'string') && within(characters, property['minLength'], property['maxLength']);
  }
  if (typeof value === 'number') {
    const isTyped = allows(property, 'number') || (allows(property, 'integer') && Number.isInteger(value));
    return isTyped && within(value, property['minimum'], property['maximum']);
  }
  return typeof value === 'boolean' && allows(property, 'boolean');
}

function allows(property: JsonSchema, type: string): boolean {
  return property['type'] === undefined || property['type'] === type;
}

function within(value: number, least: Json | undefined, most: Json | undefined): boolean {
  return !(typeof least === 'number' && value < least) && !(typeof most === 'number' && value > most);
}

function inventValue(property: JsonSchema): Json {
  const choices = property['enum'];
  const candidates = [property['default'], property['const'], Array.isArray(choices) ? choices[0] : undefined];
  const known = candidates.find((candidate) => candidate !== undefined && fits(property, candidate));
  if (known !== undefined) {
    return known;
  }
  switch (property['type']) {
    case 'boolean':
      return true;
    case 'integer':
      return Math.ceil(inventNumber(property));
    case 'number':
      return inventNumber(property);
    default:
      return inventText(property);
  }
}

function inventNumber(property: JsonSchema): number {
  const { minimum, maximum } = property;
  if (typeof minimum === 'number') {
    return minimum;
  }
  return typeof maximum === 'number' ? Math.min(maximum, 1) : 1;
}

function inventText(property: JsonSchema): string {
  const { minLength, maxLength } = property;
  const longest = typeof maxLength === 'number' ? maxLength : 4;
  return 'text'.slice(0, longest).padEnd(typeof minLength === 'number' ? minLength : 0, '.');
}

export function toRecord(value: Json | undefined): JsonSchema {
  return isObject(value) ? value : {};
}
