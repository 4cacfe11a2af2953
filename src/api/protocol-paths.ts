const problem = { $ref: '#/components/responses/Problem' };
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
  200: {
    ...json('The answer `{response, images?, usage, receipt}`.'),
    headers: { 'PAYMENT-RESPONSE': { description: 'The settlement, base64 of its JSON.', schema: { type: 'string' } } },
  },
  402: {
    ...json('Payment required: the same offers for x402 version 1 in the body.'),
    headers: {
      'PAYMENT-REQUIRED': { description: 'The offers, base64 of their JSON.', schema: { type: 'string' } },
    },
  },
  default: problem,
};

const freeForm = { required: false, content: { 'application/json': { schema: { type: 'object' } } } };

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
      responses: { 200: { description: 'The picture.', content: { 'image/*': {} } }, default: problem },
    },
  },
  '/api/usage.csv': {
    get: {
      operationId: 'usage.export',
      tags: ['usage'],
      summary: 'The usage log as CSV, with the filters of /api/usage.',
      security: [{ session: [] }, { apiKey: [] }],
      'x-scope': 'usage:read',
      parameters: ['resourceId', 'status', 'from', 'to', 'payer', 'isTest', 'problem'].map((name) =>
        text(name, 'query', ''),
      ),
      responses: { 200: { description: 'The rows, newest first.', content: { 'text/csv': {} } }, default: problem },
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
      responses: { 200: json('Yes.'), 503: problem },
    },
  },
};
