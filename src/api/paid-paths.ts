import type { KindView } from '#resources/index.ts';
import { acceptedResponse, laterHeaders } from './call-paths.ts';
import { toAnyAnswer } from './kind-schemas.ts';
import {
  answerHeader,
  buyerHeaders,
  headerParameter,
  offerHeaders,
  payingHeaders,
  settlementHeaders,
} from './payment-headers.ts';
import { callProblems, problemResponses } from './problem-responses.ts';
import { ANSWER_TOKEN_HEADER, RECEIPT_HEADER } from './write-answer.ts';

type JsonObject = Record<string, unknown>;

const segment = (name: string, description: string): JsonObject => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string' },
});
const nullableText = (description: string): JsonObject => ({ type: ['string', 'null'], description });

/** Of a call that is no test of its owner's. */
export const salesHeaders = [
  ...payingHeaders,
  ...buyerHeaders,
  headerParameter(
    'SIGN-IN-WITH-X',
    'With such a payment: `sign-in-with-x` of the 403, signed by the wallet that paid.',
  ),
  headerParameter(
    'Last-Event-ID',
    'With `Accept: text/event-stream` and the payment of a stream that broke off: the id of the last event that came.',
  ),
  ...laterHeaders,
];

export const paymentHeaders = [
  ...salesHeaders,
  {
    ...headerParameter(
      'X-Owner-Test',
      'With `true` and the session or API key of its creator (scope `resources:write`), the resource runs without a payment.',
    ),
    schema: { type: 'string', enum: ['true'] },
  },
];

const streamOfEvents = [
  'Each event has an id and JSON as data: `meta` (callId, resource, version, run), `delta` (text), `media` (a file),',
  '`usage`, `receipt`, and at the end `done` (what the answer says beside these) or `error` (a problem).',
  'A stream without an end has broken off: the same payment with `Last-Event-ID` goes on behind that event.',
  'Another `meta` means that the answer is made anew and what came before it is void.',
].join(' ');

/** Who pays with a wallet needs no account; the owner's own test does. */
export const paidSecurity = [{}, { apiKey: [] }, { session: [] }];

export const paidSchemas: Record<string, JsonObject> = {
  Receipt: {
    type: 'object',
    description: 'What was bought and what was charged for it.',
    required: ['transaction', 'paidUsdc', 'network', 'payer', 'resource', 'version', 'callId', 'at'],
    properties: {
      transaction: nullableText('The transaction that moved the money; null where none did.'),
      paidUsdc: { type: 'string', description: 'A decimal; "0" for what is free and for tests.' },
      network: nullableText('CAIP-2.'),
      payer: nullableText('The address that paid.'),
      resource: { type: 'string', description: 'The URL of the resource.' },
      version: { type: 'integer' },
      callId: { type: 'string', description: 'Name it when you report something.' },
      at: { type: 'string', format: 'date-time' },
      media: {
        type: 'array',
        description: 'The files of the answer, where it has any.',
        items: {
          type: 'object',
          required: ['id', 'sha256', 'sizeBytes', 'contentType'],
          properties: {
            id: { type: 'string' },
            sha256: { type: 'string', description: 'Of the bytes, hexadecimal.' },
            sizeBytes: { type: 'integer' },
            contentType: { type: 'string' },
          },
        },
      },
    },
    example: {
      transaction: '0x2f83c1…',
      paidUsdc: '0.02',
      network: 'eip155:8453',
      payer: '0x7d9d…',
      resource: 'https://pay.example.com/@ada/translation',
      version: 1,
      callId: '0199a1fe-9d0c-74e7-a6f4-36061437c03d',
      at: '2026-01-02T03:04:05.000Z',
    },
  },
  Challenge: {
    type: 'object',
    description: 'The offers of x402 version 1. Those of version 2 stand in the PAYMENT-REQUIRED header.',
    required: ['x402Version', 'error', 'accepts'],
    properties: {
      x402Version: { type: 'integer', const: 1 },
      error: { type: 'string', description: 'Why nothing was answered, or why the payment was not taken.' },
      accepts: {
        type: 'array',
        items: {
          type: 'object',
          required: ['scheme', 'network', 'maxAmountRequired', 'resource', 'payTo', 'asset', 'maxTimeoutSeconds'],
          properties: {
            scheme: { type: 'string' },
            network: { type: 'string', description: 'By its name of version 1, such as `base`.' },
            maxAmountRequired: { type: 'string', description: 'In atomic units: "20000" is 0.02 USDC.' },
            resource: { type: 'string' },
            description: { type: 'string' },
            mimeType: { type: 'string' },
            payTo: { type: 'string' },
            asset: { type: 'string' },
            maxTimeoutSeconds: { type: 'integer' },
            outputSchema: { type: 'object', description: 'What to send, and what comes back.' },
            extra: { type: 'object' },
          },
        },
      },
    },
  },
};

/** `json`: the media type of answers in JSON, its schema and its examples. */
export function toPaidResponses(json: JsonObject): JsonObject {
  return {
    ...problemResponses([...callProblems, 'unauthenticated', 'forbidden', 'conflict']),
    200: {
      description:
        'The answer, in the form that the kind of the resource gives it: one JSON object with a `receipt`, or bytes. With `Accept: text/event-stream`, where the kind can stream, it comes as server-sent events.',
      content: {
        'application/json': json,
        'text/event-stream': { schema: { type: 'string', description: streamOfEvents } },
        '*/*': { schema: { type: 'string', format: 'binary' } },
      },
      headers: {
        ...settlementHeaders,
        [RECEIPT_HEADER]: answerHeader('With bytes: the receipt, base64 of its JSON.'),
        [ANSWER_TOKEN_HEADER]: answerHeader('With the first answer to a payment: shows later who its buyer is.'),
      },
    },
    202: acceptedResponse,
    402: {
      description: 'Payment required: the same offers for x402 version 1 in the body.',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Challenge' } } },
      headers: offerHeaders,
    },
  };
}

function toAnswerExamples(kinds: readonly KindView[]): JsonObject {
  const receipt = paidSchemas['Receipt']?.['example'];
  const all = kinds.map(({ name, title, answerExample }) => [
    name,
    { summary: title, value: { ...answerExample, receipt } },
  ]);
  return all.length === 0 ? {} : { examples: Object.fromEntries(all) as JsonObject };
}

function toInputExamples(kinds: readonly KindView[]): JsonObject {
  const all = kinds.flatMap(({ examples }) =>
    examples.map(({ draft, input }) => [String(draft['slug']), { summary: String(draft['name']), value: input }]),
  );
  return all.length === 0 ? {} : { examples: Object.fromEntries(all) as JsonObject };
}

/** Statuses and headers alone. */
function withoutBodies(responses: JsonObject): JsonObject {
  const all = Object.entries(responses as Record<string, JsonObject>).map(([status, response]) => {
    const { content: _, ...bare } = response;
    return [status, bare];
  });
  return Object.fromEntries(all) as JsonObject;
}

/** Which resource is called. */
export const place = [
  segment('creator', 'The creator'),
  segment('slug', 'The resource; `slug@3` is its version 3, whatever was published after it.'),
];

export const callInput: JsonObject = {
  type: 'object',
  description: 'The parameters of the resource by their names; its 402 and its public view hold their JSON Schema.',
};

/** The paid call, as OpenAPI path items. */
export function toPaidPaths(kinds: readonly KindView[]): Record<string, JsonObject> {
  const responses = toPaidResponses({ schema: toAnyAnswer(kinds), ...toAnswerExamples(kinds) });
  const query = { name: 'input', in: 'query', required: false, style: 'form', explode: true, schema: callInput };
  return {
    '/@{creator}/{slug}': {
      get: {
        operationId: 'resource.call_by_get',
        tags: ['call'],
        summary: 'The same with the parameters in the query.',
        security: paidSecurity,
        parameters: [...place, query, ...paymentHeaders],
        responses,
      },
      head: {
        operationId: 'resource.probe',
        tags: ['call'],
        summary: 'What a GET is answered without a payment, without its body. It never runs anything.',
        security: [],
        parameters: place,
        responses: withoutBodies(responses),
      },
      post: {
        operationId: 'resource.call',
        tags: ['call'],
        summary: 'Call a resource: 402 with its price first, its answer once paid.',
        security: paidSecurity,
        parameters: [...place, ...paymentHeaders],
        requestBody: {
          required: false,
          content: { 'application/json': { schema: callInput, ...toInputExamples(kinds) } },
        },
        responses,
      },
    },
    '/api/execute': {
      post: {
        operationId: 'resource.execute',
        tags: ['call'],
        summary: 'Call a resource by its id.',
        security: paidSecurity,
        parameters: paymentHeaders,
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['resourceId'],
                properties: {
                  resourceId: { type: 'string', format: 'uuid' },
                  version: { type: 'integer', minimum: 1, description: 'One of its versions; the newest unless told.' },
                  input: callInput,
                  body: { ...callInput, description: 'Another name of `input`; send one of the two.' },
                },
                additionalProperties: false,
              },
            },
          },
        },
        responses,
      },
    },
  };
}
