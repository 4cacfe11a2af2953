import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { Big } from 'big.js';
import { isObject, escapePointer, isExactNumber, readNumber, type FieldProblem } from '#kit/index.ts';
import { isMediaText } from './media-parameter.ts';
import type { Parameter } from './parameter.ts';
import type { JsonSchema, PublishedVersion } from './resource-kind.ts';
import { openPattern } from './safe-pattern.ts';
import { MEDIA_KEYWORD } from './to-input-schema.ts';

export type ParsedInput = { ok: true; input: Record<string, unknown> } | { ok: false; fields: FieldProblem[] };

interface ParseOptions {
  /** Every value is text (a query string): what reads as the parameter's number or boolean becomes one. */
  isText?: boolean;
}

type Contract = Pick<PublishedVersion, 'parameters' | 'inputSchema' | 'batch' | 'batchOf'>;

const MAX_FIELDS = 100;
const MAX_PROBLEMS = 20;
const DECIMAL = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

const ajv = new Ajv2020({
  allErrors: true,
  ownProperties: true,
  strict: true,
  validateSchema: false,
  addUsedSchema: false,
  code: { regExp: openPattern },
  formats: { uri: isMediaText },
  keywords: [MEDIA_KEYWORD],
});
const validators = new WeakMap<JsonSchema, ValidateFunction>();

/**
 * Checks a call's body (or query) against the version's schema and fills in defaults; paths are JSON Pointers. No parameter
 * can be null, and many clients write it for what they leave out: a `null` is absent.
 */
export function parseInput(contract: Contract, body: unknown, options: ParseOptions = {}): ParsedInput {
  const { batchOf, batch } = contract;
  return batchOf ? parseBatch(batchOf, { maxInputs: 1, ...batch, body }) : parseOne(contract, body, options);
}

function parseOne(contract: Contract, body: unknown, options: ParseOptions): ParsedInput {
  if (!isObject(body)) {
    return { ok: false, fields: [{ path: '', message: 'Send a JSON object with the parameters as fields.' }] };
  }
  const given = Object.entries(body);
  const isNull = ([name, value]: [string, unknown]) => value === null && isParameter(contract, name);
  const entries = given.filter((entry) => !isNull(entry));
  if (entries.length > MAX_FIELDS) {
    return { ok: false, fields: [{ path: '', message: `Send at most ${MAX_FIELDS} fields.` }] };
  }
  const input = withDefaults(contract.parameters, options.isText ? coerce(contract.parameters, entries) : entries);
  const validate = findValidator(contract.inputSchema);
  if (!validate(toDoubles(input))) {
    const nulls = new Set(given.filter(isNull).map(([name]) => name));
    return { ok: false, fields: (validate.errors ?? []).slice(0, MAX_PROBLEMS).map(toFieldProblem(nulls)) };
  }
  const fields = contract.parameters.flatMap((parameter) => checkExactly(parameter, input[parameter.name]));
  return fields.length === 0 ? { ok: true, input } : { ok: false, fields };
}

/** Each input as the version reads one; what does not fit is named by its place. */
function parseBatch(each: Contract, { maxInputs, body }: { maxInputs: number; body: unknown }): ParsedInput {
  const inputs = isObject(body) && Object.keys(body).length === 1 ? body['inputs'] : undefined;
  if (!Array.isArray(inputs)) {
    return {
      ok: false,
      fields: [{ path: '', message: 'Send {"inputs": [{…}, …]}: a list of inputs, and nothing else.' }],
    };
  }
  if (inputs.length === 0 || inputs.length > maxInputs) {
    const message = `Send 1 to ${maxInputs} inputs; these are ${inputs.length}.`;
    return { ok: false, fields: [{ path: '/inputs', message }] };
  }
  const parsed = inputs.map((input: unknown) => parseOne(each, input, {}));
  const fields = parsed.flatMap((one, index) =>
    one.ok
      ? []
      : one.fields.map(({ path, message }) => ({
          path: `/inputs/${index}${path}`,
          message: `Input ${index}: ${message}`,
        })),
  );
  return fields.length === 0
    ? { ok: true, input: { inputs: parsed.map((one) => (one.ok ? one.input : {})) } }
    : { ok: false, fields: fields.slice(0, MAX_PROBLEMS) };
}

/** The validator knows doubles only; what is lost in them is looked at by `checkExactly`. */
function toDoubles(input: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(input);
  return entries.some(([, value]) => isExactNumber(value))
    ? Object.fromEntries(entries.map(([name, value]) => [name, isExactNumber(value) ? Number(value.rawJSON) : value]))
    : input;
}

/** The rules of a number that a double does not hold, by its own digits. */
function checkExactly({ name, type, minimum, maximum }: Parameter, value: unknown): FieldProblem[] {
  if (!isExactNumber(value)) {
    return [];
  }
  const exact = new Big(value.rawJSON);
  const broken = [
    type === 'integer' && !exact.round().eq(exact) ? toRule('type', { type }) : null,
    minimum !== undefined && exact.lt(minimum) ? toRule('minimum', { limit: minimum }) : null,
    maximum !== undefined && exact.gt(maximum) ? toRule('maximum', { limit: maximum }) : null,
  ].filter((rule) => rule !== null);
  return broken.map((rule) => ({ path: `/${name}`, message: `\`${name}\` must ${rule}.` }));
}

/** Compiled on first use and kept as long as the version that holds the schema. */
function findValidator(schema: JsonSchema): ValidateFunction {
  const known = validators.get(schema);
  if (known) {
    return known;
  }
  const compiled = ajv.compile(schema);
  // ajv would hold every schema for ever; the WeakMap decides.
  ajv.removeSchema(schema);
  validators.set(schema, compiled);
  return compiled;
}

function isParameter({ inputSchema }: Contract, name: string): boolean {
  const properties = inputSchema['properties'];
  return typeof properties === 'object' && properties !== null && Object.hasOwn(properties, name);
}

type Entries = [string, unknown][];

/** fromEntries defines own fields, so that a field called `__proto__` is seen, and refused, as the unknown field it is. */
function withDefaults(parameters: readonly Parameter[], entries: Entries): Record<string, unknown> {
  const given = new Set(entries.map(([name]) => name));
  const missing = parameters.filter((parameter) => parameter.default !== undefined && !given.has(parameter.name));
  return Object.fromEntries([...entries, ...missing.map((parameter) => [parameter.name, parameter.default] as const)]);
}

function coerce(parameters: readonly Parameter[], entries: Entries): Entries {
  const types = new Map(parameters.map((parameter) => [parameter.name, parameter.type]));
  return entries.map(([name, value]) => [name, coerceValue(types.get(name), value)]);
}

function coerceValue(type: Parameter['type'] | undefined, value: unknown): unknown {
  if (typeof value !== 'string') {
    return value;
  }
  if ((type === 'number' || type === 'integer') && value.length <= 100 && DECIMAL.test(value)) {
    return readNumber(value) ?? value;
  }
  return type === 'boolean' && (value === 'true' || value === 'false') ? value === 'true' : value;
}

const toFieldProblem =
  (nulls: ReadonlySet<string>) =>
  (error: ErrorObject): FieldProblem => {
    const params: Record<string, unknown> = error.params;
    if (error.keyword === 'required') {
      const name = String(params['missingProperty']);
      return {
        path: `/${escapePointer(name)}`,
        message: `\`${name}\` is missing${nulls.has(name) ? ': null counts as no value' : ''}.`,
      };
    }
    if (error.keyword === 'additionalProperties') {
      const name = String(params['additionalProperty']);
      const shown = name.length > 60 ? `${name.slice(0, 60)}…` : name;
      return { path: `/${escapePointer(shown)}`, message: `\`${shown}\` is not a parameter of this resource.` };
    }
    return {
      path: error.instancePath,
      message: `\`${error.instancePath.slice(1)}\` must ${toRule(error.keyword, params)}.`,
    };
  };

function toRule(keyword: string, params: Record<string, unknown>): string {
  switch (keyword) {
    case 'type':
      return `be ${params['type'] === 'integer' ? 'an integer' : `a ${String(params['type'])}`}`;
    case 'enum':
      return `be one of ${(params['allowedValues'] as string[]).map((value) => `"${value}"`).join(', ')}`;
    case 'minimum':
      return `be at least ${String(params['limit'])}`;
    case 'maximum':
      return `be at most ${String(params['limit'])}`;
    case 'minLength':
      return `have at least ${String(params['limit'])} characters`;
    case 'maxLength':
      return `have at most ${String(params['limit'])} characters`;
    case 'pattern':
      return `match the pattern ${String(params['pattern'])}`;
    case 'format':
      return 'be an https URL, a base64 data URL or "upload:" with the id of an upload';
    default:
      return 'be valid';
  }
}
