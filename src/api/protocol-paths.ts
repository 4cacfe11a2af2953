import { problemResponses } from './problem-responses.ts';
import { RECEIPT_HEADER } from './write-answer.ts';

const json = (description: string) => ({
  description,
  content: { 'application/json': { schema: { type: 'object' } } },
});
const text = (name: string, where: 'path' | 'query' | 'header', description: string) => ({
  name,
  in: where,
  required: where === 'path',
  description,
  schema: { type: 'string' },
});

const paymentHeaders = [
  text('PAYMENT-SIGNATURE', 'header', 'x402 version 2 payment, base64 of its JSON. Without it the answer is 402.'),
  text('X-PAYMENT', 'header', 'x402 version 1 payment, for clients that speak only that.'),
];

const paidResponses = {
  ...problemResponses([
    'invalid_input',
    'invalid_payload',
    'invalid_x402_version',
    'unauthenticated',
    'forbidden',
    'not_found',
    'method_not_allowed',
    'conflict',
    'payment_in_use',
    'gone',
    'too_large',
    'unsupported_media_type',
    'unprocessable',
    'content_refused',
    'rate_limited',
    'internal',
    'upstream_failed',
    'unavailable',
    'settlement_pending',
    'answer_owed',
    'upstream_timeout',
  ]),
  200: {
    description:
      'The answer, in the form that the kind of the resource gives it: one JSON object with a `receipt` (the chat kinds: `{response, images?, finishReason, usage, receipt}`), bytes, or parts, one JSON object a line, of which the last are the `receipt` and `done` or `error`.',
    content: {
      'application/json': { schema: { type: 'object', properties: { receipt: { type: 'object' } } } },
      'application/x-ndjson': {},
      '*/*': {},
    },
    headers: {
      'PAYMENT-RESPONSE': { description: 'The settlement, base64 of its JSON.', schema: { type: 'string' } },
      [RECEIPT_HEADER]: {
        description: 'With bytes: the receipt, base64 of its JSON.',
        schema: { type: 'string' },
      },
    },
  },
  402: {
    ...json('Payment required: the same offers for x402 version 1 in the body.'),
    headers: {
      'PAYMENT-REQUIRED': { description: 'The offers, base64 of their JSON.', schema: { type: 'string' } },
    },
  },
};

const freeForm = { required: false, content: { 'application/json': { schema: { type: 'object' } } } };

const auth = (method: 'get' | 'post') => ({
  [method]: {
    operationId: `auth.${method}`,
    tags: ['auth'],
    summary: 'Sign-up, sign-in and sessions, by the protocol of better-auth; its refusals are `{code, message}`.',
    parameters: [text('path', 'path', 'Such as sign-in/email')],
    ...(method === 'post' ? { requestBody: freeForm } : {}),
    responses: {
      ...problemResponses(['too_large', 'rate_limited', 'internal']),
      200: json('Done.'),
      '4XX': json('Refused: `{code, message}`.'),
    },
  },
});

/** The routes that are protocols rather than operations, as OpenAPI path items. */
export const protocolPaths: Record<string, Record<string, unknown>> = {
  '/@{creator}/{slug}': {
    post: {
      operationId: 'resource.call',
      tags: ['call'],
      summary: 'Call a resource: 402 with its price first, its answer once paid. Any method works.',
      parameters: [text('creator', 'path', 'The creator'), text('slug', 'path', 'The resource'), ...paymentHeaders],
      requestBody: freeForm,
      responses: paidResponses,
    },
  },
  '/api/execute': {
    post: {
      operationId: 'resource.execute',
      tags: ['call'],
      summary: 'Call a resource by its id.',
      parameters: paymentHeaders,
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              required: ['resourceId'],
              properties: { resourceId: { type: 'string', format: 'uuid' }, input: { type: 'object' } },
            },
          },
        },
      },
      responses: paidResponses,
    },
  },
  '/api/images/{id}': {
    get: {
      operationId: 'images.get',
      tags: ['call'],
      summary: 'A picture of an answer, by the signed link in that answer.',
      parameters: [text('id', 'path', 'The image'), text('expires', 'query', ''), text('signature', 'query', '')],
      responses: {
        ...problemResponses(['invalid_input', 'forbidden', 'not_found', 'gone', 'internal']),
        200: { description: 'The picture.', content: { 'image/*': {} } },
      },
    },
  },
  '/api/auth/{path}': { ...auth('get'), ...auth('post') },
  '/api/openapi.json': {
    get: {
      operationId: 'openapi.get',
      tags: ['operations'],
      summary: 'This document.',
      responses: { 200: json('OpenAPI 3.1.'), 304: { description: 'Not changed.' } },
    },
  },
  '/healthz': {
    get: {
      operationId: 'health.alive',
      tags: ['operations'],
      summary: 'Does the process answer?',
      responses: { 200: json('Yes.') },
    },
  },
  '/readyz': {
    get: {
      operationId: 'health.ready',
      tags: ['operations'],
      summary: 'Does everything it needs answer?',
      responses: { ...problemResponses(['internal', 'unavailable']), 200: json('Yes.') },
    },
  },
  '/metrics': {
    get: {
      operationId: 'metrics.get',
      tags: ['operations'],
      summary: 'Counters for Prometheus, for scrapers on the same machine and for administrators.',
      responses: {
        ...problemResponses(['unauthenticated', 'forbidden', 'rate_limited', 'internal']),
        200: { description: 'Prometheus text format.', content: { 'text/plain': {} } },
      },
    },
  },
};

/** Served in the sandbox only. */
export const sandboxPaths: Record<string, Record<string, unknown>> = {
  '/sandbox': {
    get: {
      operationId: 'sandbox.describe',
      tags: ['sandbox'],
      summary: 'What is simulated here, and where.',
      responses: { ...problemResponses(['internal']), 200: json('Addresses, limits and what is simulated.') },
    },
  },
  '/sandbox/faucet': {
    post: {
      operationId: 'sandbox.faucet',
      tags: ['sandbox'],
      summary: 'Test USDC for an address.',
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: { type: 'object', required: ['address'], properties: { address: { type: 'string' } } },
          },
        },
      },
      responses: {
        ...problemResponses(['invalid_input', 'too_large', 'unsupported_media_type', 'rate_limited', 'internal']),
        200: json('The transfer.'),
      },
    },
  },
};
