import { decodePaymentRequiredHeader } from '@x402/core/http';
import { PaymentRequiredV1Schema, PaymentRequiredV2Schema } from '@x402/core/schemas';
import { validateDiscoveryExtension, validateDiscoveryExtensionSpec } from '@x402/extensions/bazaar';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '#kit/index.ts';
import { makeOffer, schemeList } from '../../tests/support/pay.ts';
import { buildChallenge, withReason, type Challenge, type ChallengeInput } from './challenge.ts';
import type { SchemeList } from './find-scheme.ts';
import type { Network } from './network.ts';
import { exactEip155 } from './schemes/exact-eip155/exact-eip155.ts';

const offer = makeOffer();

function challengeFor(changes: Partial<ChallengeInput> = {}, list: SchemeList = schemeList): Challenge {
  return buildChallenge(list, {
    offers: [offer],
    resource: {
      url: 'https://pay.example.com/@demo/haiku',
      description: 'A haiku about anything.',
      mimeType: 'application/json',
      serviceName: 'Haiku',
      tags: ['poetry'],
    },
    method: 'POST',
    inputSchema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        topic: { type: 'string', maxLength: 200, description: 'What it is about' },
        lines: { type: 'integer', minimum: 3, default: 3 },
      },
      required: ['topic'],
      additionalProperties: false,
    },
    inputExample: { topic: 'autumn' },
    ...changes,
  });
}

const read = (challenge: Challenge) => decodePaymentRequiredHeader(challenge.headers['PAYMENT-REQUIRED'] ?? '');
const readBody = (challenge: Challenge): unknown => JSON.parse(challenge.body.toString('utf8'));

/** What official readers and size limits hold against it. */
function problemsOf(challenge: Challenge): unknown[] {
  const required = read(challenge);
  const bazaar = required.extensions?.['bazaar'] as never;
  const size = Object.entries(challenge.headers).reduce(
    (sum, [name, value]) => sum + name.length + value.length + 4,
    0,
  );
  return [
    PaymentRequiredV2Schema.safeParse(required).error,
    PaymentRequiredV1Schema.safeParse(readBody(challenge)).error,
    ...(bazaar === undefined
      ? []
      : [validateDiscoveryExtensionSpec(bazaar).errors, validateDiscoveryExtension(bazaar).errors]),
    size < 8192 ? undefined : size,
  ].filter((problem) => problem !== undefined);
}

test('a network that version 1 has no name for is offered in version 2 alone', () => {
  const { v1Name: _, ...unnamed } = exactEip155.family.networks[offer.network] as Network;
  const family = { ...exactEip155.family, networks: { [offer.network]: unnamed } };
  const challenge = challengeFor({}, { schemes: [{ ...exactEip155, family }] });
  expect(read(challenge).accepts.map(({ network }) => network)).toEqual([offer.network]);
  expect(readBody(challenge)).toMatchObject({ x402Version: 1, accepts: [] });
});

test('a 402 says the same in version 2 (header) and version 1 (body), both valid', () => {
  const challenge = challengeFor();
  expect(problemsOf(challenge)).toEqual([]);
  expect(read(challenge)).toEqual(challenge.paymentRequired);
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
      bazaar: { info: { input: { type: 'http', method: 'POST', bodyType: 'json', body: { topic: 'autumn' } } } },
    },
  });
  expect(readBody(challenge)).toMatchObject({
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
        },
      },
    ],
  });
});

test('a 402 is never cached', () => {
  const { headers, body } = challengeFor();
  expect(headers).toMatchObject({ 'Cache-Control': 'no-store', 'Content-Type': 'application/json' });
  expect(headers['Content-Length']).toBe(String(body.length));
});

test.each(['GET', 'HEAD', 'DELETE'] as const)('%s tells its input as query parameters', (method) => {
  const challenge = challengeFor({ method, outputExample: { response: 'x' } });
  expect(problemsOf(challenge)).toEqual([]);
  expect(read(challenge).extensions).toMatchObject({
    bazaar: { info: { input: { method, queryParams: { topic: 'autumn' } }, output: { example: { response: 'x' } } } },
  });
});

test('a refused payment gets the same 402 with its reason', () => {
  const challenge = challengeFor();
  const refused = withReason(challenge, 'invalid_exact_evm_signature');
  expect(problemsOf(refused)).toEqual([]);
  expect(read(refused)).toEqual({ ...read(challenge), error: 'invalid_exact_evm_signature' });
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
    const challenge = challengeFor({ inputSchema, inputExample: {}, resource });
    expect(problemsOf(challenge)).toEqual([]);
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
    expect(challenge.headers['PAYMENT-REQUIRED']).not.toContain(Buffer.from('evil').toString('base64'));
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
