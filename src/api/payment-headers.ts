import { ANSWER_TOKEN_HEADER } from './write-answer.ts';

type JsonObject = Record<string, unknown>;

const text = { type: 'string' };

/** A header that a request may have, as OpenAPI describes it. */
export function headerParameter(name: string, description: string): JsonObject {
  return { name, in: 'header', required: false, description, schema: text };
}

/** One that an answer may have. */
export function answerHeader(description: string): JsonObject {
  return { description, schema: text };
}

/** What a payment comes in, by whatever surface. */
export const payingHeaders: readonly JsonObject[] = [
  headerParameter('PAYMENT-SIGNATURE', 'x402 version 2 payment, base64 of its JSON. Without it the answer is 402.'),
  headerParameter('X-PAYMENT', 'x402 version 1 payment, for clients that speak only that.'),
];

/** What shows later whose payment it was. */
export const buyerHeaders: readonly JsonObject[] = [
  headerParameter(
    'Idempotency-Key',
    'Binds the payment to this request; a random one also shows later who the buyer is.',
  ),
  headerParameter(ANSWER_TOKEN_HEADER, 'With a payment that has bought an answer: the token of its first answer.'),
];

export const settlementHeaders = { 'PAYMENT-RESPONSE': answerHeader('The settlement, base64 of its JSON.') };

export const offerHeaders = { 'PAYMENT-REQUIRED': answerHeader('The offers, base64 of their JSON.') };
