import { createHmac, timingSafeEqual } from 'node:crypto';

export interface SignedQuery {
  /** Seconds since the epoch. */
  expires: string;
  signature: string;
}

/** HMAC-SHA256 over the id and the second of expiry; neither can be changed without the key. */
export function signMedia(signingKey: Uint8Array, id: string, expiresAtSeconds: number): SignedQuery {
  const expires = String(expiresAtSeconds);
  return { expires, signature: digest(signingKey, id, expires).toString('base64url') };
}

/** Compares in constant time. Says nothing about whether the time has come. */
export function isSigned(signingKey: Uint8Array, id: string, query: SignedQuery): boolean {
  const given = Buffer.from(query.signature, 'base64url');
  const expected = digest(signingKey, id, query.expires);
  return /^\d{1,12}$/.test(query.expires) && given.length === expected.length && timingSafeEqual(given, expected);
}

function digest(signingKey: Uint8Array, id: string, expires: string): Buffer {
  return createHmac('sha256', signingKey).update(`farebox image\n${id}\n${expires}`).digest();
}
