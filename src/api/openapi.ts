import { z } from 'zod';
import { problemKinds, type BoundOperation } from '#kit/index.ts';
import type { KindView } from '#resources/index.ts';
import { operationProblems } from './problem-responses.ts';
import { protocolPaths, sandboxPaths } from './protocol-paths.ts';

type JsonObject = Record<string, unknown>;

interface Served {
  operations: readonly BoundOperation[];
  kinds: readonly KindView[];
}

/** OpenAPI 3.1 of everything served: the operations and kinds from their schemas, the protocol routes by hand. */
export function toOpenapi(
  { operations, kinds }: Served,
  about: { origin: string; version: string; isSandbox: boolean },
): JsonObject {
  const paths: Record<string, JsonObject> = {};
  const schemas: JsonObject = { Problem: problemSchema, ResourceConfig: toConfigSchema(kinds) };
  for (const { name, configSchema } of kinds) {
    const { $schema: _, ...config } = configSchema;
    schemas[`${name}.config`] = hoistDefinitions(config, `${name}.config`, schemas);
  }
  for (const operation of operations) {
    const [method = '', pattern = ''] = operation.route.split(' ');
    const path = pattern.replaceAll(/:([^/]+)/g, '{$1}');
    paths[path] = { ...paths[path], [method.toLowerCase()]: toOperation(operation, schemas) };
  }
  for (const [path, item] of Object.entries({ ...protocolPaths, ...(about.isSandbox ? sandboxPaths : {}) })) {
    paths[path] = { ...paths[path], ...item };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Farebox',
      version: about.version,
      summary: 'Publish AI endpoints and be paid per call in USDC over HTTP 402 (x402).',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: about.origin }],
    paths,
    components: { schemas, securitySchemes },
  };
}

const securitySchemes = {
  apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, "fbx_…".' },
  session: { type: 'apiKey', in: 'cookie', name: 'farebox.session_token', description: 'A signed-in session.' },
};

const failedReceiptSchema = {
  type: 'object',
  description: 'Of a call that held a payment and has no answer. Null is not known yet.',
  required: ['callId', 'payer', 'resource', 'version', 'network', 'charged', 'paidUsdc', 'transaction', 'at', 'next'],
  properties: {
    callId: { type: 'string' },
    payer: { type: 'string' },
    resource: { type: 'string' },
    version: { type: 'integer' },
    network: { type: 'string' },
    charged: { type: ['boolean', 'null'] },
    paidUsdc: { type: ['string', 'null'] },
    transaction: { type: ['string', 'null'] },
    at: { type: 'string', format: 'date-time' },
    next: { type: 'string' },
  },
};

const problemSchema = {
  type: 'object',
  description: 'RFC 9457, with what to do next.',
  required: ['type', 'title', 'status', 'code', 'detail', 'next', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(problemKinds) },
    detail: { type: 'string' },
    next: { type: 'string' },
    charged: { type: 'boolean', description: 'Present where a payment took part: did money move?' },
    receipt: failedReceiptSchema,
    answerToken: {
      type: 'string',
      description: 'With the first answer to a payment that may have been charged: shows later who its buyer is.',
    },
    transaction: { type: ['string', 'null'], description: 'With `buyer_unproven`: what paid for the answer.' },
    prove: {
      type: 'array',
      items: { type: 'string' },
      description: 'With `buyer_unproven`: the ways to show that one is the buyer.',
    },
    extensions: { type: 'object', description: 'With `buyer_unproven`: `sign-in-with-x`, to be signed.' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'string', description: 'JSON Pointer' }, message: { type: 'string' } },
      },
    },
    requestId: { type: 'string' },
  },
};

/** The configuration of a resource, as its kind reads it. A draft may be unfinished: publishing checks it. */
function toConfigSchema(kinds: readonly KindView[]): JsonObject {
  return {
    description: 'What the kind of the resource demands; a draft may hold less until it is published.',
    anyOf: [
      ...kinds.map(({ name }) => ({ $ref: `#/components/schemas/${name}.config` })),
      { type: 'object', title: 'Unfinished' },
    ],
  };
}

function toOperation(operation: BoundOperation, schemas: JsonObject): JsonObject {
  const [method = '', pattern = ''] = operation.route.split(' ');
  const inPath = [...pattern.matchAll(/:([^/]+)/g)].map((found) => found[1] ?? '');
  const input = hoistDefinitions(toSchema(operation.input, 'input'), `${operation.name}.input`, schemas);
  const properties = (input['properties'] ?? {}) as Record<string, JsonObject>;
  const required = new Set((input['required'] ?? []) as string[]);
  const rest = Object.keys(properties).filter((name) => !inPath.includes(name));
  const isQuery = method === 'GET';
  const parameters = [
    ...inPath.map((name) => ({ name, in: 'path', required: true, schema: properties[name] ?? { type: 'string' } })),
    ...(isQuery ? rest : []).map((name) => ({
      name,
      in: 'query',
      required: required.has(name),
      schema: properties[name],
    })),
  ];
  return {
    operationId: operation.name,
    summary: operation.summary,
    tags: [operation.name.split('.')[0]],
    ...(operation.scope === 'public' ? {} : toSecurity(operation.scope)),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(!isQuery && rest.length > 0 ? { requestBody: toBody(input, { properties, required, rest }) } : {}),
    responses: {
      ...operationProblems(operation),
      ...(isQuery && !operation.file ? { 304: { description: 'Not changed since the ETag that was sent.' } } : {}),
      [operation.status ?? 200]: toAnswer(operation, schemas),
    },
  };
}

function toSecurity(scope: string): JsonObject {
  const session = { session: [] };
  return { security: scope === 'session' ? [session] : [session, { apiKey: [] }], 'x-scope': scope };
}

interface BodyParts {
  properties: Record<string, JsonObject>;
  required: ReadonlySet<string>;
  rest: readonly string[];
}

function toBody(input: JsonObject, parts: BodyParts): JsonObject {
  const required = parts.rest.filter((name) => parts.required.has(name));
  const schema = {
    ...input,
    properties: Object.fromEntries(parts.rest.map((name) => [name, toProperty(name, parts)])),
    required: undefined,
    ...(required.length > 0 ? { required } : {}),
  };
  return { required: required.length > 0, content: { 'application/json': { schema } } };
}

/** Drafts of resources are the only bodies with a `config`, and any object is stored: what it should hold depends on the kind. */
function toProperty(name: string, { properties }: BodyParts): JsonObject | undefined {
  return name === 'config' ? { $ref: '#/components/schemas/ResourceConfig' } : properties[name];
}

function toAnswer(operation: BoundOperation, schemas: JsonObject): JsonObject {
  if (operation.status === 204) {
    return { description: 'Done.' };
  }
  if (operation.file) {
    return { description: 'A file.', content: { [operation.file.contentType.split(';')[0] ?? '']: {} } };
  }
  const schema = hoistDefinitions(toSchema(operation.output, 'output'), `${operation.name}.output`, schemas);
  return { description: 'Done.', content: { 'application/json': { schema } } };
}

/** Recursive schemas name their parts from the root, which inside this document is somewhere else. */
function hoistDefinitions(schema: JsonObject, prefix: string, schemas: JsonObject): JsonObject {
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

/** Bounds that only say "fits a JavaScript number" are noise to a reader. */
function toSchema(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) {
        delete jsonSchema.maximum;
      }
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) {
        delete jsonSchema.minimum;
      }
    },
  }) as JsonObject;
  return rest;
}
