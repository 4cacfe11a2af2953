import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { isExactNumber, parseExactJson, type FieldProblem, type Json } from '#kit/index.ts';
import { openPattern, type JsonObject } from '#resources/index.ts';
import { exampleOf } from './example-of-schema.ts';
import { listStrictFaults, readOutputSchema } from './read-output-schema.ts';
import { remember } from './remember.ts';

export type ReadOutput = { ok: true; output: JsonObject } | { ok: false; faults: string[] };

/** The JSON that a creator promises with each answer: how it is asked for, and how an answer is held to it. */
export interface OutputContract {
  schema: JsonObject;
  /** Providers can hold the model to it while it writes. */
  isStrict: boolean;
  /** One output that the schema accepts; null where none is found without thinking. */
  example: JsonObject | null;
  /** Reads the text of an answer; faults are paths and rules, without the values that break them. */
  read(text: string): ReadOutput;
}

type Given = Readonly<Record<string, unknown>>;

const MAX_FAULTS = 8;
const MAX_FAULT_CHARACTERS = 200;

/** Of a config that may promise one, and that `checkOutputSchema` has passed. */
export function openContract({ outputSchema }: { outputSchema?: Given | undefined }): OutputContract | null {
  return outputSchema === undefined ? null : open(outputSchema);
}

/** Read and compiled once for each version; compiled only when an answer, or an example, is looked at. */
const open = remember((given: Given): OutputContract => {
  const read = readOutputSchema(given, '');
  if (!read.ok) {
    throw new Error('A published schema is not accepted.');
  }
  const { schema } = read;
  let validate: ValidateFunction | undefined;
  const validator = (): ValidateFunction => (validate ??= compile(schema));
  return {
    schema,
    isStrict: listStrictFaults(schema, '').length === 0,
    get example() {
      const example = exampleOf(schema);
      return isObject(example) && validator()(example) ? example : null;
    },
    read: (text) => readText(validator(), text),
  };
});

/** Everything that stands against publishing with this schema. */
export function checkOutputSchema(given: Given | undefined): FieldProblem[] {
  const path = '/config/outputSchema';
  const read = given === undefined ? null : readOutputSchema(given, path);
  if (read === null || !read.ok) {
    return read?.problems ?? [];
  }
  try {
    compile(read.schema);
    return [];
  } catch (error) {
    return [{ path, message: `This is no JSON Schema: ${error instanceof Error ? error.message : ''}`.slice(0, 300) }];
  }
}

/** What providers' strict mode would need: without it the model is asked and checked, but not held while it writes. */
export function warnOfSchema(given: Given | undefined): FieldProblem[] {
  const path = '/config/outputSchema';
  const read = given === undefined ? null : readOutputSchema(given, path);
  const faults = read?.ok ? listStrictFaults(read.schema, path) : [];
  return faults.slice(0, 10).map((fault) => ({
    ...fault,
    message: `Providers hold a model to a schema only in their strict mode, and ${fault.message}. As it is, answers that do not fit are found here, asked for once more, and not sold; both runs cost you.`,
  }));
}

function compile(schema: JsonObject): ValidateFunction {
  // A validator of its own: it is forgotten with the schema.
  const ajv = new Ajv2020({
    allErrors: true,
    ownProperties: true,
    strict: false,
    validateFormats: false,
    multipleOfPrecision: 9,
    code: { regExp: openPattern },
  });
  return ajv.compile(schema);
}

function readText(validate: ValidateFunction, text: string): ReadOutput {
  let value: unknown;
  try {
    value = parseExactJson(takeOut(text));
  } catch {
    return { ok: false, faults: ['the answer is not JSON'] };
  }
  if (validate(toDoubles(value))) {
    return { ok: true, output: value as JsonObject };
  }
  return { ok: false, faults: [...new Set((validate.errors ?? []).map(toFault))].slice(0, MAX_FAULTS) };
}

/** Models put a mark of byte order, a fence of code or a sentence around their JSON. */
function takeOut(text: string): string {
  const bare = text.replace(/^\ufeff/, '').trim();
  const fenced = /^[^{]{0,200}?```[a-z0-9]*\s*\n([\s\S]*?)\n?```/i.exec(bare)?.[1] ?? bare;
  return fenced.trim();
}

function toFault({ instancePath, message = 'does not fit', keyword, params }: ErrorObject): string {
  const more = keyword === 'enum' ? `: ${JSON.stringify((params as { allowedValues: Json }).allowedValues)}` : '';
  return `${instancePath === '' ? 'the object' : instancePath} ${message}${more}`.slice(0, MAX_FAULT_CHARACTERS);
}

/** The validator knows doubles only. */
function toDoubles(value: unknown): unknown {
  if (isExactNumber(value)) {
    return Number(value.rawJSON);
  }
  if (Array.isArray(value)) {
    return value.map(toDoubles);
  }
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toDoubles(item)]))
    : value;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
