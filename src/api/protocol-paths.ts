import { problemResponses } from './problem-responses.ts';

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

/** The routes that are protocols rather than operations, as OpenAPI path items. */
export const protocolPaths: Record<string, Record<string, unknown>> = {
  '/api/images/{id}': {
    get: {
      operationId: 'images.get',
      tags: ['call'],
      summary: 'A picture of an answer, by the signed link in that answer.',
      security: [],
      parameters: [
        text('id', 'path', 'The image'),
        text('expires', 'query', 'As the link says.'),
        text('signature', 'query', 'As the link says.'),
      ],
      responses: {
        ...problemResponses(['invalid_input', 'forbidden', 'not_found', 'gone', 'internal']),
        200: { description: 'The picture.', content: { 'image/*': { schema: { type: 'string', format: 'binary' } } } },
      },
    },
  },
  '/api/openapi.json': {
    get: {
      operationId: 'openapi.get',
      tags: ['operations'],
      summary: 'This document.',
      security: [],
      responses: { 200: json('OpenAPI 3.1.'), 304: { description: 'Not changed.' } },
    },
  },
  '/healthz': {
    get: {
      operationId: 'health.alive',
      tags: ['operations'],
      summary: 'Does the process answer?',
      security: [],
      responses: { 200: json('Yes.') },
    },
  },
  '/readyz': {
    get: {
      operationId: 'health.ready',
      tags: ['operations'],
      summary: 'Does everything it needs answer?',
      security: [],
      responses: { ...problemResponses(['internal', 'unavailable']), 200: json('Yes.') },
    },
  },
  '/metrics': {
    get: {
      operationId: 'metrics.get',
      tags: ['operations'],
      summary: 'Counters for Prometheus, for scrapers on the same machine and for administrators.',
      security: [{}, { session: [] }, { apiKey: [] }],
      responses: {
        ...problemResponses(['unauthenticated', 'forbidden', 'rate_limited', 'internal']),
        200: { description: 'Prometheus text format.', content: { 'text/plain': { schema: { type: 'string' } } } },
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
      security: [],
      responses: { ...problemResponses(['internal']), 200: json('Addresses, limits and what is simulated.') },
    },
  },
  '/sandbox/faucet': {
    post: {
      operationId: 'sandbox.faucet',
      tags: ['sandbox'],
      summary: 'Test USDC for an address.',
      security: [],
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
