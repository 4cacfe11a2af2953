import type { z } from 'zod';
import { findNetworkByV1Name } from '../networks.ts';
import type { Payment } from '../payment.ts';
import { decodeBase64Json } from './base64-json.ts';
import { paymentV1, paymentV2 } from './payment-shapes.ts';

const MAX_HEADER_CHARACTERS = 8192;

export type DecodedPayment =
  | { ok: true; payment: Payment }
  | { ok: false; problem: 'invalid_payload' | 'invalid_x402_version' | 'too_large'; detail: string };

interface PaymentHeaders {
  /** PAYMENT-SIGNATURE (version 2); preferred when both are sent. */
  paymentSignature?: string | undefined;
  /** X-PAYMENT (version 1). */
  xPayment?: string | undefined;
}

/** Reads the payment header. `detail` names the field and what was expected, never what a parser threw. */
export function decodePayment(headers: PaymentHeaders): DecodedPayment {
  const name = headers.paymentSignature === undefined ? 'X-PAYMENT' : 'PAYMENT-SIGNATURE';
  const raw = headers.paymentSignature ?? headers.xPayment ?? '';
  if (raw.length > MAX_HEADER_CHARACTERS) {
    return refuse('too_large', `${name} is longer than ${MAX_HEADER_CHARACTERS} characters.`);
  }
  const value = decodeBase64Json(raw);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return refuse('invalid_payload', `${name} is not base64 (standard alphabet, padded) of a JSON object.`);
  }
  const version = 'x402Version' in value ? value.x402Version : undefined;
  if (version === 2) {
    return decodeV2(name, value, raw);
  }
  return version === 1
    ? decodeV1(name, value, raw)
    : refuse('invalid_x402_version', `${name} must say x402Version 1 or 2.`);
}

function decodeV1(name: string, value: unknown, raw: string): DecodedPayment {
  const parsed = paymentV1.safeParse(value);
  if (!parsed.success) {
    return refuse('invalid_payload', describe(name, parsed.error));
  }
  const { network, payload } = parsed.data;
  return toPayment({ x402Version: 1, network: findNetworkByV1Name(network)?.caip2 ?? network, ...payload, raw });
}

function decodeV2(name: string, value: unknown, raw: string): DecodedPayment {
  const parsed = paymentV2.safeParse(value);
  if (!parsed.success) {
    return refuse('invalid_payload', describe(name, parsed.error));
  }
  const { accepted, payload } = parsed.data;
  return toPayment({ x402Version: 2, network: accepted.network, accepted, ...payload, raw });
}

function toPayment(read: Omit<Payment, 'scheme' | 'payer' | 'nonce'>): DecodedPayment {
  const { from, nonce } = read.authorization;
  return { ok: true, payment: { scheme: 'exact', payer: from, nonce, ...read } };
}

function refuse(problem: (DecodedPayment & { ok: false })['problem'], detail: string): DecodedPayment {
  return { ok: false, problem, detail };
}

/** Only our own words: field names that the client invented are not repeated. */
function describe(name: string, error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    return `${name}: "${issue.path.join('.')}" holds fields that EIP-3009 payments do not have.`;
  }
  const expected = issue?.message.startsWith('expected') ? issue.message : 'missing or of the wrong type';
  return `${name}: "${issue?.path.join('.')}" is not valid: ${expected}.`;
}
