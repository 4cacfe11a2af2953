import type { KindView } from '#resources/index.ts';
import { toBatchPath } from './batch-paths.ts';
import { callSchemas } from './call-paths.ts';
import { hoistDefinitions, toAnswerSchema } from './kind-schemas.ts';
import { securitySchemes } from './openapi.ts';
import { paidSchemas, paidSecurity, paymentHeaders, toPaidResponses } from './paid-paths.ts';
import { problemSchema } from './problem-schema.ts';
import type { ResourceContract } from './public-resource.ts';

type JsonObject = Record<string, unknown>;

/** OpenAPI 3.1 of one resource as it is sold now: one path, with its own schemas and its price. */
export function toResourceOpenapi(
  resource: ResourceContract,
  { origin, kinds }: { origin: string; kinds: readonly KindView[] },
): JsonObject {
  const schemas: Record<string, JsonObject> = { Problem: problemSchema, ...paidSchemas, ...callSchemas };
  const input = embed(resource.inputSchema, 'Input', schemas);
  const answer = toAnswer(resource, { kinds, schemas });
  const { name, description, inputExample, batch } = resource;
  const path = `/@${resource.creator}/${resource.slug}`;
  return {
    openapi: '3.1.0',
    info: { title: name, version: String(resource.version), description },
    servers: [{ url: origin }],
    paths: {
      [path]: {
        post: {
          operationId: 'call',
          summary: name,
          description,
          security: paidSecurity,
          ...toPaymentInfo(resource),
          parameters: paymentHeaders,
          requestBody: {
            required: true,
            content: { 'application/json': { schema: input, example: inputExample } },
          },
          responses: toPaidResponses({ schema: answer }),
        },
      },
      ...(batch
        ? {
            [`${path}/batch`]: toBatchPath({
              operationId: 'callBatch',
              summary: `${name}, for many inputs at once`,
              input,
              ...batch,
            }),
          }
        : {}),
    },
    components: { schemas, securitySchemes },
  };
}

/** What agents read of a price before they call; the 402 holds the offers that can be signed. */
function toPaymentInfo({ offers }: ResourceContract): JsonObject {
  const [first] = offers;
  return first === undefined
    ? {}
    : {
        'x-payment-info': {
          price:
            first.fromUsdc === undefined
              ? { mode: 'fixed', currency: 'USD', amount: first.priceUsdc }
              : { mode: 'dynamic', currency: 'USD', min: first.fromUsdc, max: first.priceUsdc },
          protocols: [{ x402: {} }],
          offers,
        },
      };
}

/** What the kind answers, with the JSON that this resource promises in its place. */
function toAnswer(
  { kind, outputSchema }: ResourceContract,
  { kinds, schemas }: { kinds: readonly KindView[]; schemas: Record<string, JsonObject> },
): JsonObject {
  const of = kinds.find(({ name }) => name === kind)?.answerSchema ?? { type: 'object' };
  const answer = toAnswerSchema(embed(of, 'Answer', schemas));
  if (outputSchema === null) {
    return answer;
  }
  return {
    ...answer,
    properties: { ...(answer['properties'] as JsonObject), output: embed(outputSchema, 'Output', schemas) },
    required: [...(answer['required'] as string[]), 'output'],
  };
}

function embed(schema: Readonly<JsonObject>, name: string, schemas: Record<string, JsonObject>): JsonObject {
  const { $schema: _, ...rest } = schema;
  return hoistDefinitions(rest, name, schemas);
}
