import { randomBytes } from 'node:crypto';
import type { Database } from '#database/index.ts';
import { Problem, sha256Hex, scopes as allScopes, type Clock, type Scope } from '#kit/index.ts';
import { rememberKeys, type KeyMemory } from './remember-keys.ts';

const SECRET_BYTES = 32;
const SHOWN_LENGTH = 'fbx_'.length + 6;
const KEY_PATTERN = /^fbx_[A-Za-z0-9_-]{43}$/;
const LAST_USED_EVERY_MS = 60_000;

/** PostgreSQL notifies on this channel when keys end before their time: the memory of keys is to forget then. */
export const API_KEYS_CHANGED = 'api_keys_changed';

interface NewSecret {
  secret: string;
  prefix: string;
  secretHash: string;
}

/** A fresh secret, with what may be stored of it. A plain hash is enough: 256 random bits cannot be guessed. */
export function makeSecret(): NewSecret {
  const secret = `fbx_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  return { secret, prefix: secret.slice(0, SHOWN_LENGTH), secretHash: sha256Hex(secret) };
}

interface KeyOwner {
  userId: string;
  username: string;
  email: string;
  scopes: Scope[];
}

interface KeyRow {
  id: string;
  owner_id: string;
  username: string;
  email: string;
  scopes: string[];
  expires_at: Date | null;
  revoked_at: Date | null;
  last_used_at: Date | null;
}

/**
 * The owner of a presented key. Throws `unauthenticated` when it is malformed, unknown, revoked or expired.
 * The index is searched by the hash, so timing tells nothing about the secrets stored.
 */
export async function getKeyOwner(
  deps: { database: Database; clock: Clock; keys: KeyMemory<KeyRow> },
  presented: string,
): Promise<KeyOwner> {
  const row = KEY_PATTERN.test(presented) ? await deps.keys.find(sha256Hex(presented)) : undefined;
  const now = deps.clock.now();
  if (!row) {
    throw refuse('This API key is not known here.');
  }
  if (row.revoked_at) {
    throw refuse('This API key was revoked.');
  }
  if (row.expires_at && row.expires_at.getTime() <= now) {
    throw refuse(`This API key expired at ${row.expires_at.toISOString()}.`);
  }
  if (!row.last_used_at || now - row.last_used_at.getTime() >= LAST_USED_EVERY_MS) {
    await deps.database.system.query(
      `UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)`,
      [row.id, new Date(now), new Date(now - LAST_USED_EVERY_MS)],
    );
    row.last_used_at = new Date(now);
  }
  const granted = allScopes.filter((scope) => row.scopes.includes(scope));
  return { userId: row.owner_id, username: row.username, email: row.email, scopes: granted };
}

export function openKeyMemory({ database, clock }: { database: Database; clock: Clock }): KeyMemory<KeyRow> {
  const read = async (secretHashes: readonly string[]) => {
    const { rows } = await database.system.query<KeyRow & { secret_hash: string }>({
      name: 'find_api_keys',
      text: `SELECT k.secret_hash, k.id, k.owner_id, u.username, u.email, k.scopes, k.expires_at, k.revoked_at, k.last_used_at
               FROM api_keys k JOIN users u ON u.id = k.owner_id
              WHERE k.secret_hash = ANY ($1)`,
      values: [[...new Set(secretHashes)]],
    });
    const byHash = new Map(rows.map((row) => [row.secret_hash, row]));
    return secretHashes.map((secretHash) => byHash.get(secretHash));
  };
  return rememberKeys({ clock, read });
}

function refuse(detail: string): Problem {
  return new Problem('unauthenticated', {
    detail,
    next: 'Create a new API key in your account and send it as "Authorization: Bearer fbx_…".',
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  });
}
