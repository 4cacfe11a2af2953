import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';

type Schema = Record<string, unknown>;

interface Operation {
  operationId: string;
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content: Record<string, { schema: Schema }> }>;
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

export interface AnswerToCheck {
  method: string;
  /** Below `/api/v1`, without the query. */
  path: string;
  status: number;
  contentType: string;
  text: string;
}

/** One answer that the document lists. */
export interface ListedAnswer {
  operation: string;
  method: string;
  /** With its parameters in braces. */
  path: string;
  status: number;
}

export interface AnswerCheck {
  /** Every operation of the document. */
  operations: readonly string[];
  answers: readonly ListedAnswer[];
  /** What is not as the document says, nothing where all is. */
  check(answer: AnswerToCheck): { operation: string | null; faults: string[] };
  /** What of a JSON body that is sent is not as the document says; also members that it does not know. */
  checkRequest(method: string, path: string, body: object): string[];
}

/** Where the document cannot be kept to the letter. Each reason is why the simulator is right all the same. */
const patches: readonly { reason: string; apply(document: Document): void }[] = [
  {
    reason: 'provider names of the simulator say that they are simulated; the document lists those of real ones',
    apply: (document) => forgetEnum(document, REAL_PROVIDER),
  },
  {
    reason: 'the wire has system_fingerprint null in JSON answers, and clients need the key to be present',
    apply: (document) => allowNull(document, 'ChatResult', 'system_fingerprint'),
  },
  {
    reason: 'an exclusive minimum is a number since draft 6 of JSON Schema',
    apply: ({ components: { schemas } }) => {
      const { upscale_factor: factor } = propertiesOf(schemas['VideoGenerationRequest']);
      Object.assign(factor ?? {}, { exclusiveMinimum: 0 });
    },
  },
  {
    reason: 'errors inside a stream have codes that are words, or no code, on the wire',
    apply: ({ components: { schemas } }) => {
      const { error } = propertiesOf(schemas['ChatStreamChunk']);
      Object.assign(propertiesOf(error), { code: { type: ['integer', 'string'] } });
      Object.assign(error ?? {}, { required: ['message'] });
    },
  },
];

const REAL_PROVIDER = 'AI21';

/** Drops every list of allowed values that holds this one. */
function forgetEnum(schema: object, member: string): void {
  for (const value of Object.values(schema) as unknown[]) {
    if (typeof value === 'object' && value !== null) {
      forgetEnum(value, member);
    }
  }
  if ('enum' in schema && Array.isArray(schema.enum) && schema.enum.includes(member)) {
    delete schema.enum;
  }
}

function propertiesOf(schema: Schema | undefined): Record<string, Schema> {
  return (schema?.['properties'] ?? {}) as Record<string, Schema>;
}

function allowNull({ components }: Document, name: string, property: string): void {
  const properties = propertiesOf(components.schemas[name]);
  properties[property] = { anyOf: [properties[property] ?? {}, { type: 'null' }] };
}

/** Reads the document and compiles what it says of each answer when that is first needed. */
export async function openAnswerCheck(): Promise<AnswerCheck> {
  const document = JSON.parse(await readFile(join(import.meta.dirname, 'openapi.json'), 'utf8')) as Document;
  for (const { apply } of patches) {
    apply(document);
  }
  const ajv = new Ajv2020({ strict: false, allErrors: false });
  for (const format of ['double', 'int32', 'int64', 'float', 'binary', 'date-time', 'date', 'uri', 'uuid', 'byte']) {
    ajv.addFormat(format, true);
  }
  ajv.addSchema({ $id: 'openrouter', components: document.components });
  const compiled = new Map<string, ValidateFunction>();
  const compile = (schema: Schema): ValidateFunction => {
    const text = JSON.stringify(schema);
    const known = compiled.get(text) ?? ajv.compile(pointInto(schema));
    compiled.set(text, known);
    return known;
  };
  return {
    operations: Object.values(document.paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    ),
    answers: listAnswers(document),
    check: (answer) => {
      const operation = findOperation(document, answer);
      if (operation === null) {
        return { operation: null, faults: ['the document has no such operation'] };
      }
      const [type = ''] = answer.contentType.split(';');
      const content = operation.responses[answer.status]?.content;
      const schema = (content?.[type] ?? content?.[type.replace(/\/.*/, '/*')])?.schema;
      const name = `${operation.operationId} ${answer.status} ${type}`;
      const faults =
        schema === undefined
          ? [`${name} is not in the document`]
          : readValues(type, answer.text).flatMap((value) => validate(compile(schema), value, name));
      return { operation: operation.operationId, faults };
    },
    checkRequest: (method, path, body) => {
      const operation = findOperation(document, { method, path });
      const schema = operation?.requestBody?.content['application/json']?.schema;
      if (!operation || !schema) {
        return [`${method} ${path} has no body in the document`];
      }
      const name = `${operation.operationId} request`;
      const [, known = ''] = /^#\/components\/schemas\/(\w+)$/.exec(String(schema['$ref'])) ?? [];
      const listed = propertiesOf(document.components.schemas[known]);
      const unknown = Object.keys(body).filter((member) => !Object.hasOwn(listed, member));
      return [...unknown.map((member) => `${name}: ${member}`), ...validate(compile(schema), body, name)];
    },
  };
}

function listAnswers({ paths }: Document): ListedAnswer[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { operationId: operation, responses }]) =>
      Object.keys(responses).map((status) => ({
        operation,
        method: method.toUpperCase(),
        path,
        status: Number(status),
      })),
    ),
  );
}

/** References inside the document -> references into the schema that ajv knows by its id. */
function pointInto(schema: Schema): Schema {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"openrouter#/components/')) as Schema;
}

function findOperation(
  { paths }: Document,
  { method, path }: Pick<AnswerToCheck, 'method' | 'path'>,
): Operation | null {
  const exact = Object.keys(paths).find((template) => template === path);
  const found = exact ?? Object.keys(paths).find((template) => toPattern(template).test(path));
  return found === undefined ? null : (paths[found]?.[method.toLowerCase()] ?? null);
}

function toPattern(template: string): RegExp {
  return new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}

/** The body, or the value of each event. An event is checked with its name where the schema asks for one; bytes are a text. */
function readValues(type: string, text: string): unknown[] {
  if (type !== 'text/event-stream') {
    return [type === 'application/json' ? JSON.parse(text) : text];
  }
  const blocks = text.replaceAll('\r\n', '\n').split('\n\n');
  return blocks.flatMap((block) => {
    const lines = block.split('\n');
    const data = lines.find((line) => line.startsWith('data: '))?.slice(6);
    const event = lines.find((line) => line.startsWith('event: '))?.slice(7);
    return data === undefined || data === '[DONE]' ? [] : [{ data: JSON.parse(data) as unknown, event }];
  });
}

function validate(isValid: ValidateFunction, value: unknown, name: string): string[] {
  return isValid(value) ? [] : [`${name}: ${describe(isValid.errors ?? [])} in ${JSON.stringify(value).slice(0, 300)}`];
}

function describe(errors: readonly ErrorObject[]): string {
  return errors
    .slice(-4)
    .map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params).slice(0, 120)}`)
    .join('; ');
}
