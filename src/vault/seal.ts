import { parse, stringify } from 'uuid';
import type { Tx } from '#database/index.ts';
import { Problem } from '#kit/index.ts';
import { decrypt, encodeParts, encrypt } from './cipher.ts';
import { ensureDataKey, findDataKey, type Keyring, type Queryable } from './data-key.ts';

/** Where a sealed value lives. It opens only there. */
export interface SealContext {
  table: string;
  row: string;
  ownerId: string;
  field: string;
}

// Layout of version 1: version (1 byte), data key id (16), nonce (12), tag (16), ciphertext.
const VERSION = 1;
const HEADER_BYTES = 17;

/** Encrypts under the owner's data key, inside the transaction that stores the result. */
export async function seal(ring: Keyring, tx: Tx, input: { context: SealContext; plaintext: string }): Promise<Buffer> {
  if (!input.plaintext.isWellFormed()) {
    throw new Problem('invalid_input', { detail: 'The secret is not well-formed Unicode text.' });
  }
  const key = await ensureDataKey(ring, tx, input.context.ownerId);
  const header = Buffer.concat([Buffer.from([VERSION]), parse(key.keyId)]);
  try {
    const bound = toBound(input.context, key.keyId);
    return Buffer.concat([header, encrypt(key.bytes, Buffer.from(input.plaintext, 'utf8'), bound)]);
  } finally {
    key.bytes.fill(0);
  }
}

/** Throws `internal` when the value was changed, moved, cut, or sealed under a key that is not here. */
export async function open(
  ring: Keyring,
  query: Queryable,
  input: { context: SealContext; sealed: Uint8Array },
): Promise<string> {
  const { context, sealed } = input;
  if (sealed[0] !== VERSION || sealed.length <= HEADER_BYTES) {
    throw refuse(context);
  }
  const keyId = stringifyKeyId(sealed.subarray(1, HEADER_BYTES), context);
  const key = await findDataKey(ring, query, { ownerId: context.ownerId, keyId });
  if (!key) {
    throw refuse(context);
  }
  try {
    return decrypt(key.bytes, sealed.subarray(HEADER_BYTES), toBound(context, keyId)).toString('utf8');
  } catch {
    throw refuse(context);
  } finally {
    key.bytes.fill(0);
  }
}

function toBound(context: SealContext, keyId: string): Buffer {
  return encodeParts(['farebox.sealed.v1', keyId, context.table, context.row, context.ownerId, context.field]);
}

function stringifyKeyId(bytes: Uint8Array, context: SealContext): string {
  try {
    return stringify(bytes);
  } catch {
    throw refuse(context);
  }
}

/** Says where, never what; the cause of the cipher is not passed on. */
function refuse(context: SealContext): Problem {
  return new Problem('internal', {
    detail: 'A stored secret cannot be opened: it was changed, moved, or sealed under another key.',
    next: 'Store the secret again.',
    cause: new Error(`sealed value refused: ${context.table}.${context.field}`),
  });
}
