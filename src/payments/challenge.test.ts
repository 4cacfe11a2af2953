import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '#kit/index.ts';
import {
  answer,
  challengeFor,
  decode,
  offer,
  problemsOf,
  problemsOfAnswer,
  read,
  readBody,
} from '../../tests/support/make-challenge.ts';
import { toChallengeAnswer, type Challenge, type ChallengeInput } from './challenge.ts';
import type { Network } from './network.ts';
import { exactEip155 } from './schemes/exact-eip155/exact-eip155.ts';

test('a network that version 1 has no name for is offered in version 2 alone', () => {
  const { v1Name: _, ...unnamed } = exactEip155.family.networks[offer.network] as Network;
  const family = { ...exactEip155.family, networks: { [offer.network]: unnamed } };
  const challenge = challengeFor({}, { schemes: [{ ...exactEip155, family }] });
  expect(read(challenge).accepts.map(({ network }) => network)).toEqual([offer.network]);
  expect(readBody(answer(challenge))).toMatchObject({ x402Version: 1, accepts: [] });
});

test('a 402 says the same in version 2 (header) and version 1 (body), both valid', () => {
  const challenge = challengeFor();
  expect(problemsOf(challenge)).toEqual([]);
  expect(read(challenge)).toMatchObject({
    x402Version: 2,
    error: 'Payment required',
    resource: { url: 'https://pay.example.com/@demo/haiku', serviceName: 'Haiku', tags: ['poetry'] },
    accepts: [
      {
        scheme: 'exact',
        network: 'eip155:84532',
        amount: '10000',
        asset: offer.asset,
        payTo: offer.payTo,
        maxTimeoutSeconds: 300,
        extra: { name: 'USDC', version: '2' },
      },
    ],
    extensions: {
      bazaar: {
        info: {
          input: { type: 'http', method: 'POST', bodyType: 'json', body: { topic: 'autumn' } },
          output: { type: 'json', example: { response: 'Leaves' } },
        },
        schema: {
          properties: { output: { properties: { example: { properties: { response: { type: 'string' } } } } } },
        },
      },
    },
  });
  expect(readBody(answer(challenge))).toMatchObject({
    x402Version: 1,
    accepts: [
      {
        network: 'base-sepolia',
        maxAmountRequired: '10000',
        resource: 'https://pay.example.com/@demo/haiku',
        outputSchema: {
          input: {
            type: 'http',
            method: 'POST',
            bodyFields: { topic: { type: 'string', required: true }, lines: { type: 'integer', required: false } },
          },
          output: { type: 'object', properties: { response: { type: 'string' } } },
        },
      },
    ],
  });
});

test('a 402 is never cached', () => {
  const { headers, body } = answer(challengeFor());
  expect(headers).toMatchObject({ 'Cache-Control': 'no-store', 'Content-Type': 'application/json' });
  expect(headers['Content-Length']).toBe(String(body.length));
});

test.each(['GET', 'HEAD'])('the 402 to a %s names GET, with its input as query parameters', (method) => {
  const bazaar = {
    info: { input: { method: 'GET', queryParams: { topic: 'autumn' } }, output: { example: { response: 'Leaves' } } },
  };
  expect(read(challengeFor(), method).extensions).toMatchObject({ bazaar });
  expect(readBody(answer(challengeFor(), method))).toMatchObject({
    accepts: [{ outputSchema: { input: { method: 'GET', queryParams: { topic: { required: true } } } } }],
  });
});

test('a description ends after 500 code points, in both versions', () => {
  const description = '俳'.repeat(501);
  const resource = { url: 'https://pay.example.com/x', description, mimeType: 'application/json' };
  const challenge = challengeFor({ resource });
  const cut = `${'俳'.repeat(499)}…`;
  expect(read(challenge).resource.description).toBe(cut);
  expect(readBody(answer(challenge))).toMatchObject({ accepts: [{ description: cut }] });
});

test('a refused payment gets the same 402 with its reason', () => {
  const challenge = challengeFor();
  const refused = toChallengeAnswer(challenge, { method: 'POST', reason: 'invalid_exact_evm_signature' });
  expect(problemsOfAnswer(refused)).toEqual([]);
  const { extensions, ...required } = read(challenge);
  expect(decode(refused)).toMatchObject({ ...required, error: 'invalid_exact_evm_signature' });
  expect(decode(refused).extensions?.['bazaar']).toEqual(extensions?.['bazaar']);
  expect(readBody(refused)).toMatchObject({ error: 'invalid_exact_evm_signature' });
  expect(read(challenge).error).toBe('Payment required');
});

test('what catalogues would drop is not sent', () => {
  const { resource } = read(
    challengeFor({
      resource: {
        url: 'https://pay.example.com/@demo/haiku',
        description: 'Haiku 俳句 \ud800',
        mimeType: 'application/json',
        serviceName: 'Haiku 俳句',
        tags: ['ok', '俳句', 'x'.repeat(40), 'two', 'three', 'four', 'five', 'six'],
      },
    }),
  );
  expect(resource).not.toHaveProperty('serviceName');
  expect(resource.tags).toEqual(['ok', 'two', 'three', 'four', 'five']);
});

describe('a 402 whose header would be too long', () => {
  const parameters = (count: number, property: (index: number) => Json): ChallengeInput['inputSchema'] => ({
    type: 'object',
    properties: Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`parameter_${index}`, property(index)]),
    ),
    required: ['parameter_0'],
  });
  const bodySchema = (challenge: Challenge): string => JSON.stringify(read(challenge).extensions?.['bazaar'] ?? 'none');

  test('leaves out the descriptions of the input first', () => {
    const inputSchema = parameters(12, () => ({
      type: 'string',
      maxLength: 50,
      default: 'abc',
      description: 'long '.repeat(80),
    }));
    const challenge = challengeFor({ inputSchema, inputExample: { parameter_1: 'kept' } });
    expect(problemsOf(challenge)).toEqual([]);
    expect(bodySchema(challenge)).toContain('kept');
    expect(bodySchema(challenge)).toContain('"default":"abc"');
    expect(bodySchema(challenge)).not.toContain('long long');
  });

  test('then leaves out examples and defaults', () => {
    const inputSchema = parameters(8, () => ({ type: 'string', maxLength: 900, default: 'd'.repeat(600) }));
    const challenge = challengeFor({ inputSchema, inputExample: { parameter_1: 'not kept' } });
    expect(problemsOf(challenge)).toEqual([]);
    expect(bodySchema(challenge)).not.toContain('ddd');
    expect(bodySchema(challenge)).not.toContain('not kept');
    expect(bodySchema(challenge)).toContain('"maxLength":900');
  });

  test('then tells only names and types', () => {
    const inputSchema = parameters(50, () => ({
      type: 'string',
      maxLength: 900,
      minLength: 12,
      pattern: 'a{1,20}b{1,30}c',
    }));
    const challenge = challengeFor({ inputSchema, inputExample: {} });
    expect(problemsOf(challenge)).toEqual([]);
    expect(bodySchema(challenge)).toContain('"parameter_49":{"type":"string"}');
    expect(bodySchema(challenge)).not.toContain('pattern');
  });

  test('then leaves out the names, and at last the extension and most of the description', () => {
    const inputSchema = parameters(400, () => ({ type: 'string' }));
    expect(problemsOf(challengeFor({ inputSchema, inputExample: {} }))).toEqual([]);
    const resource = { url: 'https://pay.example.com/x', description: '俳'.repeat(5000), mimeType: 'application/json' };
    const outputSchema = parameters(400, () => ({ type: 'string' }));
    const challenge = challengeFor({ inputSchema, inputExample: {}, outputSchema, resource });
    expect(problemsOf(challenge)).toEqual([]);
    expect(read(challenge).extensions).not.toHaveProperty('bazaar');
    expect(read(challenge).extensions).toHaveProperty('buyer-secret');
    expect(read(challenge).resource.description).toHaveLength(200);
  });
});

describe('the example input of a 402 satisfies its schema', () => {
  test('where the creator gave none, or one that does not fit', () => {
    const challenge = challengeFor({
      inputSchema: {
        type: 'object',
        properties: {
          style: { type: 'string', enum: ['short', 'long'] },
          count: { type: 'integer', minimum: 2.5, maximum: 9 },
          code: { type: 'string', pattern: '^[A-Z]{3}$', minLength: 3, maxLength: 3 },
          size: { type: 'number', maximum: -4 },
          loud: { type: 'boolean' },
          tone: { const: 'kind' },
        },
        required: ['style', 'count', 'code', 'size', 'loud', 'tone'],
        additionalProperties: false,
      },
      inputExample: { style: 'medium', count: 1000, loud: 'yes', stranger: 1 },
    });
    expect(problemsOf(challenge)).toEqual([]);
    expect(read(challenge).extensions).toMatchObject({
      bazaar: { info: { input: { body: { style: 'short', count: 3, size: -4, loud: true, tone: 'kind' } } } },
    });
  });

  test('a schema that refers elsewhere is not told', () => {
    const challenge = challengeFor({
      inputSchema: { type: 'object', properties: { a: { $ref: 'https://evil.example/schema' } } },
      inputExample: {},
    });
    expect(problemsOf(challenge)).toEqual([]);
    expect(JSON.stringify(read(challenge))).not.toContain('evil');
  });

  test('for any parameters', () => {
    const property = fc.oneof(
      fc.record(
        { type: fc.constant('string'), maxLength: fc.integer({ min: 0, max: 50 }), description: fc.string() },
        { requiredKeys: ['type'] },
      ),
      fc.record(
        {
          type: fc.constantFrom('number', 'integer'),
          minimum: fc.integer(),
          default: fc.double({ noNaN: true, noDefaultInfinity: true }),
        },
        { requiredKeys: ['type'] },
      ),
      fc.record({ type: fc.constant('boolean'), default: fc.anything() }, { requiredKeys: ['type'] }),
      fc.record({ type: fc.constant('string'), enum: fc.uniqueArray(fc.string(), { minLength: 1 }) }),
    );
    const named = fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/), property, { maxKeys: 12 });
    fc.assert(
      fc.property(
        named,
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.string(),
        (properties, inputExample, description) => {
          const inputSchema = JSON.parse(
            JSON.stringify({
              type: 'object',
              properties,
              required: Object.keys(properties),
              additionalProperties: false,
            }),
          ) as ChallengeInput['inputSchema'];
          const resource = { url: 'https://pay.example.com/x', description, mimeType: 'application/json' };
          expect(problemsOf(challengeFor({ inputSchema, inputExample, resource }))).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });
});
