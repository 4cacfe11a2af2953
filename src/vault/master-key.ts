import { createHash } from 'node:crypto';
import { decrypt, encrypt } from './cipher.ts';

/** Wraps data keys and nothing else. A key management service can stand behind it. */
export interface MasterKey {
  /** Names the key without telling anything about it. */
  id: string;
  wrap(dataKey: Uint8Array, bound: Uint8Array): Promise<Buffer>;
  /** Throws when this key did not wrap it, or not for this context. */
  unwrap(wrapped: Uint8Array, bound: Uint8Array): Promise<Buffer>;
}

const KEY_BYTES = 32;
const MIN_DISTINCT_BYTES = 16;
const HOW_TO = 'Make one with: openssl rand -hex 32';

/** Reads 32 random bytes written as hexadecimal or base64. The error never repeats the text. */
export function masterKeyFromText(text: string): MasterKey {
  const bytes = decode(text.trim());
  if (bytes?.length !== KEY_BYTES) {
    throw new Error(`The master key must be ${KEY_BYTES} bytes as 64 hexadecimal digits or as base64. ${HOW_TO}`);
  }
  if (new Set(bytes).size < MIN_DISTINCT_BYTES || bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) {
    throw new Error(`The master key is not random: it repeats itself or is readable text. ${HOW_TO}`);
  }
  const id = createHash('sha256').update('farebox master key id').update(bytes).digest('hex').slice(0, 16);
  return {
    id: `mk_${id}`,
    wrap: async (dataKey, bound) => encrypt(bytes, dataKey, bound),
    unwrap: async (wrapped, bound) => decrypt(bytes, wrapped, bound),
  };
}

function decode(text: string): Buffer | null {
  if (/^[0-9a-f]{64}$/i.test(text)) {
    return Buffer.from(text, 'hex');
  }
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : null;
}
