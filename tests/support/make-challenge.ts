import { decodePaymentRequiredHeader } from '@x402/core/http';
import { PaymentRequiredV1Schema, PaymentRequiredV2Schema } from '@x402/core/schemas';
import { validateDiscoveryExtension, validateDiscoveryExtensionSpec } from '@x402/extensions/bazaar';
import {
  buildChallenge,
  toChallengeAnswer,
  type Challenge,
  type ChallengeAnswer,
  type ChallengeInput,
} from '../../src/payments/challenge.ts';
import type { SchemeList } from '../../src/payments/find-scheme.ts';
import { makeOffer, schemeList } from './pay.ts';

export const offer = makeOffer();

/** The challenge of a small resource; `changes` replace parts of it. */
export function challengeFor(changes: Partial<ChallengeInput> = {}, list: SchemeList = schemeList): Challenge {
  return buildChallenge(list, {
    offers: [offer],
    resource: {
      url: 'https://pay.example.com/@demo/haiku',
      description: 'A haiku about anything.',
      mimeType: 'application/json',
      serviceName: 'Haiku',
      tags: ['poetry'],
    },
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
    outputSchema: {
      type: 'object',
      properties: { response: { type: 'string', description: 'The poem.' } },
      required: ['response'],
    },
    outputExample: { response: 'Leaves' },
    ...changes,
  });
}

export const answer = (challenge: Challenge, method = 'POST') => toChallengeAnswer(challenge, { method });
export const decode = ({ headers }: ChallengeAnswer) => decodePaymentRequiredHeader(headers['PAYMENT-REQUIRED'] ?? '');
export const read = (challenge: Challenge, method = 'POST') => decode(answer(challenge, method));
export const readBody = ({ body }: ChallengeAnswer): unknown => JSON.parse(body.toString('utf8'));

/** What official readers and size limits hold against it. */
export function problemsOf(challenge: Challenge): unknown[] {
  return [...problemsOfAnswer(answer(challenge, 'POST')), ...problemsOfAnswer(answer(challenge, 'GET'))];
}

export function problemsOfAnswer(told: ChallengeAnswer): unknown[] {
  const required = decode(told);
  const bazaar = required.extensions?.['bazaar'] as never;
  const size = Object.entries(told.headers).reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
  return [
    PaymentRequiredV2Schema.safeParse(required).error,
    PaymentRequiredV1Schema.safeParse(readBody(told)).error,
    ...(bazaar === undefined
      ? []
      : [validateDiscoveryExtensionSpec(bazaar).errors, validateDiscoveryExtension(bazaar).errors]),
    size < 8192 ? undefined : size,
  ].filter((problem) => problem !== undefined);
}
