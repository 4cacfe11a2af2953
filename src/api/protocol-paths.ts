import { problemResponses } from './problem-responses.ts';

type Schema = Record<string, unknown>;

const string = { type: 'string' };
const integer = { type: 'integer' };
const address = { type: 'string', pattern: '^0x[0-9a-fA-F]{40}$' };

/** All members are always there, but those that are named as optional. */
const object = (properties: Record<string, Schema>, optional: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
});

const json = (description: string, schema: Schema = { type: 'object' }) => ({
  description,
  content: { 'application/json': { schema } },
});

const alive = object({ status: { type: 'string', const: 'alive' }, version: string, uptimeSeconds: integer });
const ready = object({
  status: { type: 'string', const: 'ready' },
  checks: {
    type: 'object',
    description: 'What it needs, by name.',
    additionalProperties: { type: 'boolean' },
  },
});
const sandboxFacts = object(
  {
    mode: { type: 'string', const: 'sandbox' },
    network: { type: 'string', description: 'CAIP-2.' },
    networkV1: { type: 'string', description: 'Its name in x402 version 1.' },
    chainId: integer,
    rpcUrl: string,
    asset: object({ address, symbol: string, decimals: integer }),
    domain: {
      ...object({ name: string, version: string, chainId: integer, verifyingContract: address }),
      description: 'The EIP-712 domain of the asset.',
    },
    contracts: { type: 'object', description: 'Further contracts by name.', additionalProperties: address },
    faucet: object({
      method: string,
      url: string,
      body: object({ address: string }),
      amountUsdc: string,
      limitPerAddress: string,
    }),
    openRouterUrl: { type: 'string', description: 'Of the simulated OpenRouter, where it runs.' },
    openRouterKeys: {
      type: 'object',
      description: 'Its keys by what they do.',
      additionalProperties: string,
    },
    simulated: { type: 'array', items: object({ what: string, how: string }) },
  },
  ['openRouterUrl', 'openRouterKeys'],
);
const gift = object({
  address,
  network: { type: 'string', description: 'CAIP-2.' },
  asset: address,
  amountUsdc: string,
  transaction: string,
  balanceUsdc: { type: 'string', description: 'What the address holds now.' },
});

const text = (name: string, where: 'path' | 'query' | 'header', description: string) => ({
  name,
  in: where,
  required: where === 'path',
  description,
  schema: { type: 'string' },
});

const upload = object({
  id: { type: 'string', description: 'Random; whoever has it may use the upload.' },
  contentType: string,
  kind: { type: 'string', enum: ['image', 'audio', 'video', 'file'] },
  sizeBytes: integer,
  sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
  expiresAt: { type: 'string', format: 'date-time' },
});

const binary = (description: string, headers: readonly string[]) => ({
  description,
  headers: Object.fromEntries(headers.map((name) => [name, { schema: string }])),
  content: { '*/*': { schema: { type: 'string', format: 'binary' } } },
});

function fileOf(operationId: string, what: string): Record<string, unknown> {
  return {
    operationId,
    tags: ['call'],
    summary: `${what}, by the signed link in that answer.`,
    security: [],
    parameters: [
      text('id', 'path', 'The file'),
      text('expires', 'query', 'As the link says.'),
      text('signature', 'query', 'As the link says.'),
      { ...text('Range', 'header', 'One range of bytes (RFC 9110).'), required: false },
    ],
    responses: {
      ...problemResponses(['invalid_input', 'forbidden', 'not_found', 'gone', 'internal']),
      200: binary('The file.', ['Accept-Ranges', 'ETag']),
      206: binary('The range of it.', ['Accept-Ranges', 'Content-Range', 'ETag']),
      304: { description: 'It is the one that If-None-Match names.' },
      416: problemResponses(['invalid_input'])[400],
    },
  };
}

/** The routes that are protocols rather than operations, as OpenAPI path items. */
export const protocolPaths: Record<string, Record<string, unknown>> = {
  '/api/images/{id}': { get: fileOf('images.get', 'A picture of an answer') },
  '/api/media/{id}': { get: fileOf('media.get', 'A file of an answer, of any kind') },
  '/api/resources/{id}/openapi.json': {
    get: {
      operationId: 'resources.openapi',
      tags: ['resources'],
      summary: 'OpenAPI 3.1 of one resource: what to send, what comes back, its price and its problems.',
      security: [],
      parameters: [text('id', 'path', 'The resource')],
      responses: {
        ...problemResponses(['invalid_input', 'not_found', 'gone', 'rate_limited', 'internal']),
        200: json('The document.', { type: 'object' }),
      },
    },
  },
  '/api/uploads': {
    post: {
      operationId: 'uploads.create',
      tags: ['call'],
      summary: 'Upload a file for a call: its bytes are the body. Needs no account.',
      description:
        'The id in the answer is the only way to the upload: give `upload:` with the id behind it as the value of a parameter that takes a file. What the file is, its bytes say (PNG, JPEG, WebP, GIF and AVIF pictures; WAV, MP3, Ogg, FLAC and AAC sound; MP4, WebM and QuickTime video; PDF); plain text, CSV and JSON need their Content-Type. It is forgotten after an hour.',
      security: [],
      requestBody: { required: true, content: { '*/*': { schema: { type: 'string', format: 'binary' } } } },
      responses: {
        ...problemResponses([
          'invalid_input',
          'too_large',
          'unsupported_media_type',
          'unprocessable',
          'rate_limited',
          'internal',
          'unavailable',
        ]),
        201: json('It is here.', upload),
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
      responses: { 200: json('Yes.', alive) },
    },
  },
  '/readyz': {
    get: {
      operationId: 'health.ready',
      tags: ['operations'],
      summary: 'Does everything it needs answer?',
      security: [],
      responses: { ...problemResponses(['internal', 'unavailable']), 200: json('Yes.', ready) },
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
      responses: {
        ...problemResponses(['internal']),
        200: json('Addresses, limits and what is simulated.', sandboxFacts),
      },
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
            schema: { ...object({ address }), additionalProperties: false },
          },
        },
      },
      responses: {
        ...problemResponses(['invalid_input', 'too_large', 'unsupported_media_type', 'rate_limited', 'internal']),
        200: json('The transfer.', gift),
      },
    },
  },
};
