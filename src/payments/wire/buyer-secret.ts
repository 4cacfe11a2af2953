import { randomBytes } from 'node:crypto';
import type { Json } from '#kit/index.ts';

/** Our own extension of x402 version 2. Clients send the extensions of a challenge back with their payment. */
export const BUYER_SECRET = 'buyer-secret';
/** The extension of x402 by which a client names its payment. */
const PAYMENT_IDENTIFIER = 'payment-identifier';

const BYTES = 18;
const POOL_BYTES = BYTES * 512;
const CHARACTERS = 24;
const SECRET = /^[A-Za-z0-9_-]{24}$/;
/** Of the payment-identifier extension of x402. */
const IDENTIFIER = /^[A-Za-z0-9_-]{16,128}$/;

/** What only whoever made the payment knows: it stands in the payment header and never on the chain. */
export interface Echoed {
  /** From the challenge that the payment answers. */
  buyerSecret?: string;
  /** `payment-identifier`, chosen by the client. */
  paymentId?: string;
}

/** Stands for the secret in the text of a challenge until it is sent; as long as one. */
export const SECRET_PLACEHOLDER = '~'.repeat(CHARACTERS);

let pool = Buffer.alloc(0);

/** 144 random bits, base64url. Random numbers are fetched many at a time, because each challenge takes one. */
export function newSecret(): string {
  if (pool.length < BYTES) {
    pool = randomBytes(POOL_BYTES);
  }
  const secret = pool.toString('base64url', 0, BYTES);
  pool = pool.subarray(BYTES);
  return secret;
}

/** `extensions` of a challenge, to be sent with a fresh secret each time. */
export function declareSecret(secret: string): Json {
  const properties = { secret: { type: 'string' } };
  return { info: { secret }, schema: { type: 'object', properties, required: ['secret'] } };
}

/** From the `extensions` of a payment; whatever has another form counts as absent. `null` where there is none. */
export function readEchoed(extensions: Record<string, unknown> | null | undefined): Echoed | null {
  const buyerSecret = readInfo(extensions?.[BUYER_SECRET], 'secret', SECRET);
  const paymentId = readInfo(extensions?.[PAYMENT_IDENTIFIER], 'id', IDENTIFIER);
  return buyerSecret || paymentId
    ? { ...(buyerSecret ? { buyerSecret } : {}), ...(paymentId ? { paymentId } : {}) }
    : null;
}

/** The extensions of a payment without those that show its sender to be the buyer. */
export function withoutSecrets(extensions: Record<string, unknown>): Record<string, unknown> {
  const { [BUYER_SECRET]: _, [PAYMENT_IDENTIFIER]: __, ...others } = extensions;
  return others;
}

function readInfo(extension: unknown, member: string, form: RegExp): string | null {
  const value = toRecord(toRecord(extension)['info'])[member];
  return typeof value === 'string' && form.test(value) ? value : null;
}

function toRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
