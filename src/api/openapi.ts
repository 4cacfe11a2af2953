import { z } from 'zod';
import type { BoundOperation } from '#kit/index.ts';
import type { KindView } from '#resources/index.ts';
import { toAliases } from './aliases.ts';
import { toAuthPaths } from './auth-paths.ts';
import { batchPaths } from './batch-paths.ts';
import { callPaths, callSchemas } from './call-paths.ts';
import { guide, tagTexts } from './guide.ts';
import { hoistDefinitions, toAnyConfig, toCreateBody, toKindSchemas } from './kind-schemas.ts';
import { openaiPaths, openaiSchemas } from './openai/openai-paths.ts';
import { paidSchemas, toPaidPaths } from './paid-paths.ts';
import { operationProblems } from './problem-responses.ts';
import { problemSchema } from './problem-schema.ts';
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
  const schemas: Record<string, JsonObject> = {
    Problem: problemSchema,
    ...paidSchemas,
    ...callSchemas,
    ...openaiSchemas,
    ...toKindSchemas(kinds),
  };
  const add = (operation: BoundOperation, operationId: string): void => {
    const [method = '', pattern = ''] = operation.route.split(' ');
    const path = pattern.replaceAll(/:([^/]+)/g, '{$1}');
    const item = { ...toOperation(operation, { kinds, schemas }), operationId };
    paths[path] = { ...paths[path], [method.toLowerCase()]: item };
  };
  operations.forEach((operation) => add(operation, operation.name));
  toAliases(operations).forEach((operation) => add(operation, `${operation.name}.by_post`));
  const byHand = {
    ...toPaidPaths(kinds),
    ...batchPaths,
    ...callPaths,
    ...openaiPaths,
    ...toAuthPaths(),
    ...protocolPaths,
    ...(about.isSandbox ? sandboxPaths : {}),
  };
  for (const [path, item] of Object.entries(byHand)) {
    paths[path] = { ...paths[path], ...item };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Farebox',
      version: about.version,
      summary: 'Publish AI endpoints and be paid per call in USDC over HTTP 402 (x402).',
      description: guide,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: about.origin }],
    tags: listTags(paths),
    paths,
    components: { schemas, securitySchemes },
  };
}

function listTags(paths: Readonly<Record<string, JsonObject>>): { name: string; description: string }[] {
  const items = Object.values(paths).flatMap((item) => Object.values(item) as { tags: string[] }[]);
  const names = [...new Set(items.flatMap(({ tags }) => tags))].sort();
  return names.map((name) => ({ name, description: tagTexts[name] ?? name }));
}

export const securitySchemes = {
  apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, "fbx_…".' },
  statusToken: { type: 'http', scheme: 'bearer', description: 'The status token of a call, "fbs_…".' },
  session: { type: 'apiKey', in: 'cookie', name: 'farebox.session_token', description: 'A signed-in session.' },
};

interface Documented {
  kinds: readonly KindView[];
  /** Parts that are named once; what is described adds its own. */
  schemas: Record<string, JsonObject>;
}

function toOperation(operation: BoundOperation, document: Documented): JsonObject {
  const { schemas } = document;
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
    summary: operation.summary,
    tags: [operation.name.split('.')[0]],
    ...toSecurity(operation.scope),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(!isQuery && rest.length > 0 ? { requestBody: toBody(input, { properties, required, rest, document }) } : {}),
    responses: {
      ...operationProblems(operation),
      ...(isQuery && !operation.file ? { 304: { description: 'Not changed since the ETag that was sent.' } } : {}),
      [operation.status ?? 200]: toAnswer(operation, schemas),
    },
  };
}

/** What is public shows its owner more, so that credentials are read where there are some. */
function toSecurity(scope: string): JsonObject {
  const all: Record<string, string[]>[] = [{ session: [] }, { apiKey: [] }];
  if (scope === 'public') {
    return { security: [{}, ...all] };
  }
  return { security: scope === 'session' ? [{ session: [] }] : all, 'x-scope': scope };
}

interface BodyParts {
  properties: Record<string, JsonObject>;
  required: ReadonlySet<string>;
  rest: readonly string[];
  document: Documented;
}

function toBody(input: JsonObject, { properties, required: all, rest, document }: BodyParts): JsonObject {
  const { kinds, schemas } = document;
  const required = rest.filter((name) => all.has(name));
  const { required: _, ...described } = input;
  const isOfKind = rest.includes('config') && kinds.length > 0;
  const config = isOfKind ? { config: toAnyConfig(kinds) } : {};
  const schema = {
    ...described,
    properties: { ...Object.fromEntries(rest.map((name) => [name, properties[name]])), ...config },
    ...(required.length > 0 ? { required } : {}),
  };
  if (isOfKind && rest.includes('kind')) {
    return toCreateBody(kinds, schema, schemas);
  }
  return { required: required.length > 0, content: { 'application/json': { schema } } };
}

function toAnswer(operation: BoundOperation, schemas: Record<string, JsonObject>): JsonObject {
  if (operation.status === 204) {
    return { description: 'Done.' };
  }
  if (operation.file) {
    return { description: 'A file.', content: { [operation.file.contentType.split(';')[0] ?? '']: {} } };
  }
  const schema = hoistDefinitions(toSchema(operation.output, 'output'), `${operation.name}.output`, schemas);
  return { description: 'Done.', content: { 'application/json': { schema } } };
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
