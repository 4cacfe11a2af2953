import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { assertUser, operation, type Caller } from '#kit/index.ts';
import { apiKeyView, toApiKeyView, type ApiKeyRow } from './api-key-view.ts';

const input = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.uuid().optional(),
});
const output = z.object({ items: z.array(apiKeyView), nextCursor: z.string().nullable() });

export const listApiKeys = operation({
  name: 'account.api_keys.list',
  route: 'GET /api/user/api-keys',
  summary: 'List your API keys, newest first, revoked and expired ones included; secrets are never shown',
  scope: 'account:write',
  input,
  output,
  run: async ({ tx }: InTransaction, caller: Caller, { limit, cursor }) => {
    assertUser(caller);
    const { rows } = await tx.query<ApiKeyRow>(
      `SELECT id, label, scopes, prefix, expires_at, last_used_at, revoked_at, created_at FROM api_keys
        WHERE owner_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
      [caller.userId, cursor ?? null, limit + 1],
    );
    const page = rows.slice(0, limit);
    return { items: page.map(toApiKeyView), nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
  },
});
