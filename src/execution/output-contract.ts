import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { isObject, isExactNumber, type FieldProblem } from '#kit/index.ts';
import { openPattern, type JsonObject } from '#resources/index.ts';
import { exampleOf } from './example-of-schema.ts';
import { findJson } from './find-json.ts';
import { openFaults } from './open-faults.ts';
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

/** Of rules times values: what finding all faults of an answer, not the first alone, may take. */
const MAX_FAULT_WORK = 50_000;

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
  let lister: ValidateFunction | undefined;
  const validator = (): ValidateFunction => (validate ??= compile(schema));
  const tell = openFaults(schema);
  const listFaults = (value: unknown): string[] => {
    const first = validator();
    const isSmall = countValues(value, MAX_FAULT_WORK) * read.rules <= MAX_FAULT_WORK;
    const chosen = isSmall ? (lister ??= compile(schema, { allErrors: true })) : first;
    return chosen === first || !chosen(value) ? tell(chosen.errors ?? [], value) : [];
  };
  return {
    schema,
    isStrict: listStrictFaults(schema, '').length === 0,
    get example() {
      const example = exampleOf(schema);
      return isObject(example) && validator()(example) ? example : null;
    },
    read: (text) => readText(text, { validate: validator(), listFaults }),
  };
});

/** Bytes of the schema as it is sent, its definitions written out; of one that cannot be read, as it was given. */
export const measureSchema = remember((given: Given): number => {
  const read = readOutputSchema(given, '');
  return Buffer.byteLength(JSON.stringify(read.ok ? read.schema : given));
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

/**
 * With `allErrors` every fault of an answer is collected before the first is read, so their number is that of its values times
 * that of the rules: only for small answers.
 */
function compile(schema: JsonObject, { allErrors }: { allErrors: boolean } = { allErrors: false }): ValidateFunction {
  // A validator of its own: it is forgotten with the schema.
  const ajv = new Ajv2020({
    allErrors,
    ownProperties: true,
    strict: false,
    validateFormats: false,
    multipleOfPrecision: 9,
    code: { regExp: openPattern },
  });
  return ajv.compile(schema);
}

interface Judge {
  validate: ValidateFunction;
  /** Of what `validate` has just refused. */
  listFaults(value: unknown): string[];
}

function readText(text: string, { validate, listFaults }: Judge): ReadOutput {
  const found = findJson(text);
  if (found === null) {
    return { ok: false, faults: ['the answer is not JSON'] };
  }
  const value = toDoubles(found.value);
  return validate(value) ? { ok: true, output: found.value as JsonObject } : { ok: false, faults: listFaults(value) };
}

/** Up to `most` and a little more. */
function countValues(value: unknown, most: number): number {
  let count = 0;
  const left = [value];
  for (let next = left.pop(); next !== undefined && count <= most; next = left.pop()) {
    count += 1;
    const inner: unknown[] = typeof next === 'object' && next !== null ? Object.values(next) : [];
    count += inner.length;
    inner.slice(0, most).forEach((one) => left.push(one));
  }
  return count;
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
