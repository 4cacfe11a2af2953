import { isObject, escapePointer, textOf, type FieldProblem, type Json } from '#kit/index.ts';
import { compilePattern, type JsonObject } from '#resources/index.ts';

const MAX_CHARACTERS = 16_000;
const MAX_DEPTH = 12;
/** Of the schema with its definitions written out: bounds compiling, and how often one value of an answer is looked at. */
const MAX_NODES = 300;
/** Names in `required` and values in `enum`, of all parts together: one value of an answer may be compared with each. */
const MAX_NAMES = 500;

/** What a keyword holds. */
type Holds = 'value' | 'schema' | 'list' | 'members';

/**
 * The keywords of JSON Schema 2020-12 that are read. What is left out either takes more than linear time (`uniqueItems`),
 * can name a document elsewhere, or is what no provider's structured output knows.
 */
const keywords: ReadonlyMap<string, Holds> = new Map([
  ...['type', 'enum', 'const', 'required', 'title', 'description', 'default', 'examples', 'format'].map(
    (name) => [name, 'value'] as const,
  ),
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength'].map(
    (name) => [name, 'value'] as const,
  ),
  ...['pattern', 'minItems', 'maxItems'].map((name) => [name, 'value'] as const),
  ...['items', 'additionalProperties'].map((name) => [name, 'schema'] as const),
  ...['anyOf', 'oneOf', 'allOf', 'prefixItems'].map((name) => [name, 'list'] as const),
  ['properties', 'members'],
]);

/** Of the root alone: the dialect, and definitions, which are written out where they are used. */
const atRoot: ReadonlySet<string> = new Set(['$schema', '$defs', 'definitions']);
const DIALECT = 'https://json-schema.org/draft/2020-12/schema';
const DEFINITION = /^#\/(\$defs|definitions)\/([^/~%]+)$/;

export type ReadSchema =
  /** `rules`: at most so many can one value of an answer break. */
  { ok: true; schema: JsonObject; rules: number } | { ok: false; problems: FieldProblem[] };

interface Walk {
  root: Readonly<Record<string, unknown>>;
  problems: FieldProblem[];
  nodes: number;
  names: number;
}

interface Place {
  path: string;
  depth: number;
  /** The definitions that are being written out. */
  open: readonly string[];
}

/**
 * A creator's schema as it is sent, shown and checked: every `$ref` to its own definitions written out, so that it cannot
 * be recursive and names no other document. Paths of problems begin with `path`.
 */
export function readOutputSchema(given: Readonly<Record<string, unknown>>, path: string): ReadSchema {
  if (JSON.stringify(given).length > MAX_CHARACTERS) {
    return fail(path, `A schema has at most ${MAX_CHARACTERS} characters.`);
  }
  if (given['type'] !== 'object') {
    return fail(`${path}/type`, 'The output is an object: write "type": "object".');
  }
  if (given['$schema'] !== undefined && given['$schema'] !== DIALECT) {
    return fail(`${path}/$schema`, `Only JSON Schema 2020-12 is read (${DIALECT}).`);
  }
  const walk: Walk = { root: given, problems: [], nodes: 0, names: 0 };
  const schema = readNode(walk, given, { path, depth: 0, open: [] });
  if (walk.problems.length > 0 || !isObject(schema)) {
    return { ok: false, problems: walk.problems.slice(0, 20) };
  }
  if (walk.names > MAX_NAMES) {
    return fail(path, `A schema has at most ${MAX_NAMES} names in "required" and values in "enum", written out.`);
  }
  // What is sent and shown is this one: a definition that is long and named often makes it many times longer.
  return JSON.stringify(schema).length > MAX_CHARACTERS
    ? fail(path, `A schema has at most ${MAX_CHARACTERS} characters, its definitions written out.`)
    : { ok: true, schema, rules: walk.nodes + walk.names };
}

function readNode(walk: Walk, node: unknown, place: Place): Json {
  const { path, depth } = place;
  walk.nodes += 1;
  if (typeof node === 'boolean') {
    return node;
  }
  if (!isObject(node)) {
    return refuse(walk, path, 'A schema is an object, true or false.');
  }
  if (depth > MAX_DEPTH) {
    return refuse(walk, path, `A schema is nested at most ${MAX_DEPTH} deep.`);
  }
  if (walk.nodes > MAX_NODES) {
    return walk.nodes === MAX_NODES + 1
      ? refuse(walk, path, `A schema has at most ${MAX_NODES} parts, its definitions written out.`)
      : {};
  }
  return '$ref' in node ? readReference(walk, node, place) : readKeywords(walk, node, place);
}

function readKeywords(walk: Walk, node: Readonly<Record<string, unknown>>, place: Place): Json {
  const entries = Object.entries(node).filter(([name]) => place.depth > 0 || !atRoot.has(name));
  return Object.fromEntries(
    entries.map(([name, value]): [string, Json] => [name, readKeyword(walk, { name, value }, place)]),
  );
}

function readKeyword(walk: Walk, { name, value }: { name: string; value: unknown }, place: Place): Json {
  const path = `${place.path}/${escapePointer(name)}`;
  const inside = (key: string): Place => ({ ...place, path: `${path}/${escapePointer(key)}`, depth: place.depth + 1 });
  switch (keywords.get(name)) {
    case 'value':
      walk.names += (name === 'required' || name === 'enum') && Array.isArray(value) ? value.length : 0;
      return name === 'pattern' ? readPattern(walk, value, path) : (value as Json);
    case 'schema':
      return readNode(walk, value, { ...place, path, depth: place.depth + 1 });
    case 'list':
      return Array.isArray(value)
        ? value.map((item, index) => readNode(walk, item, inside(String(index))))
        : refuse(walk, path, 'This is a list of schemas.');
    case 'members':
      return readMembers(walk, value, { ...place, path, depth: place.depth + 1 });
    default:
      return refuse(
        walk,
        path,
        `"${name.slice(0, 60)}" is not read here. Known are: ${[...keywords.keys()].join(', ')}.`,
      );
  }
}

function readMembers(walk: Walk, value: unknown, place: Place): Json {
  if (!isObject(value)) {
    return refuse(walk, place.path, 'This is an object of schemas.');
  }
  // The validator passes over a property of this name.
  if (Object.hasOwn(value, '__proto__')) {
    return refuse(walk, place.path, 'No property may be called "__proto__". Choose another name.');
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      readNode(walk, item, { ...place, path: `${place.path}/${escapePointer(key)}` }),
    ]),
  );
}

function readReference(walk: Walk, node: Readonly<Record<string, unknown>>, place: Place): Json {
  const { $ref: target, ...beside } = node;
  const [, list = '', name = ''] = DEFINITION.exec(textOf(target)) ?? [];
  const definitions = walk.root[list];
  const path = `${place.path}/$ref`;
  if (!isObject(definitions) || !Object.hasOwn(definitions, name)) {
    return refuse(walk, path, 'A reference names a definition of this schema: "#/$defs/name".');
  }
  if (place.open.includes(name)) {
    return refuse(walk, path, 'A definition may not hold itself: how deep an answer goes must have an end.');
  }
  const definition = definitions[name];
  const merged = isObject(definition) ? { ...definition, ...beside } : definition;
  return readNode(walk, merged, { ...place, open: [...place.open, name] });
}

function readPattern(walk: Walk, value: unknown, path: string): Json {
  const compiled =
    typeof value === 'string' ? compilePattern(value) : { ok: false as const, reason: 'This is a text.' };
  return compiled.ok ? (value as string) : refuse(walk, path, compiled.reason);
}

/**
 * What keeps providers from holding a model to the schema while it writes, in their strict mode
 * (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas); empty where nothing does.
 */
export function listStrictFaults(schema: JsonObject, path: string): FieldProblem[] {
  const beyond = ['oneOf', 'allOf', 'prefixItems'].filter((name) => name in schema);
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const optional = Object.keys(properties).filter((name) => !required.includes(name));
  const isOfObject = [schema['type']].flat().includes('object') || 'properties' in schema;
  const faults = [
    ...beyond.map((name) => `strict mode knows no ${name}`),
    ...(isOfObject && schema['additionalProperties'] !== false ? ['it needs "additionalProperties": false'] : []),
    ...(isOfObject && optional.length > 0 ? [`it needs all properties in "required", ${optional.join(', ')} too`] : []),
  ];
  return [...faults.map((message) => ({ path, message })), ...listInner(schema, path)];
}

function listInner(schema: JsonObject, path: string): FieldProblem[] {
  return Object.entries(schema).flatMap(([name, value]) => {
    const holds = keywords.get(name);
    const inner = holds === 'schema' ? [['', value] as const] : holds === 'value' ? [] : Object.entries(value ?? {});
    return inner.flatMap(([key, item]) =>
      isObject(item)
        ? listStrictFaults(item as JsonObject, `${path}/${name}${key === '' ? '' : `/${escapePointer(key)}`}`)
        : [],
    );
  });
}

function refuse(walk: Walk, path: string, message: string): Json {
  walk.problems.push({ path, message });
  return {};
}

function fail(path: string, message: string): ReadSchema {
  return { ok: false, problems: [{ path, message }] };
}
