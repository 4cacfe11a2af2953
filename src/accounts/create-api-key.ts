import { z } from 'zod';
import type { InTransaction, Tx } from '#database/index.ts';
import { assertUser, newId, operation, Problem, scopes as allScopes, type Caller, type Clock } from '#kit/index.ts';
import { apiKeyView, toApiKeyView, type ApiKeyRow } from './api-key-view.ts';
import { makeSecret } from './api-key.ts';

const MAX_LIVE_KEYS = 20;
const DAY_MS = 86_400_000;

interface Deps {
  clock: Clock;
}

const input = z.object({
  label: z.string().trim().min(1).max(60),
  scopes: z.array(z.enum(allScopes)).min(1),
  expiresInDays: z.int().min(1).max(3650).nullable().default(365),
});
const output = apiKeyView.extend({ secret: z.string() });

export const createApiKey = operation({
  name: 'account.api_keys.create',
  route: 'POST /api/user/api-keys',
  summary: 'Create an API key; its secret is in this answer and never shown again',
  scope: 'session',
  status: 201,
  input,
  output,
  problems: ['conflict'],
  run: async ({ tx, clock }: Deps & InTransaction, caller: Caller, wanted) => {
    assertUser(caller);
    const scopes = allScopes.filter((scope) => wanted.scopes.includes(scope));
    const missing = scopes.filter((scope) => !caller.scopes.includes(scope));
    if (missing.length > 0) {
      throw new Problem('forbidden', {
        detail: `You cannot give a key rights that you do not have: ${missing.join(', ')}.`,
      });
    }
    const { secret, prefix, secretHash } = makeSecret();
    const now = new Date(clock.now());
    const expiresAt = wanted.expiresInDays === null ? null : new Date(now.getTime() + wanted.expiresInDays * DAY_MS);
    await assertRoom(tx, caller.userId, now);
    const { rows } = await tx.query<ApiKeyRow>(
      `INSERT INTO api_keys (id, owner_id, label, scopes, prefix, secret_hash, expires_at, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *`,
      [newId(), caller.userId, wanted.label, scopes, prefix, secretHash, expiresAt, now],
    );
    return { ...toApiKeyView(rows[0] as ApiKeyRow), secret };
  },
});

/** The lock makes the limit hold when several creations run at once. */
async function assertRoom(tx: Tx, ownerId: string, now: Date): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('api_keys:' || $1, 0))`, [ownerId]);
  const { rows } = await tx.query<{ live: number }>(
    `SELECT count(*)::int AS live FROM api_keys
      WHERE owner_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)`,
    [ownerId, now],
  );
  if ((rows[0]?.live ?? 0) >= MAX_LIVE_KEYS) {
    throw new Problem('conflict', {
      detail: `You already have ${MAX_LIVE_KEYS} API keys.`,
      next: 'Revoke one that you no longer use and try again.',
    });
  }
}
