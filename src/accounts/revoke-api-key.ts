import { z } from 'zod';
import type { Database } from '#database/index.ts';
import { operation, Problem, type Clock } from '#kit/index.ts';
import { apiKeyView, toApiKeyView, type ApiKeyRow } from './api-key-view.ts';
import { assertUser } from './assert-user.ts';

interface Deps {
  database: Database;
  clock: Clock;
}

const input = z.object({ id: z.uuid() });

export const revokeApiKey = operation<Deps, typeof input, typeof apiKeyView>({
  name: 'account.api_keys.revoke',
  route: 'DELETE /api/user/api-keys/:id',
  summary: 'Revoke an API key at once and for good',
  scope: 'session',
  input,
  output: apiKeyView,
  async run(deps, caller, { id }) {
    assertUser(caller);
    const row = await deps.database.asUser(caller.userId, async (tx) => {
      const { rows } = await tx.query<ApiKeyRow>(
        'UPDATE api_keys SET revoked_at = coalesce(revoked_at, $3) WHERE id = $1 AND owner_id = $2 RETURNING *',
        [id, caller.userId, new Date(deps.clock.now())],
      );
      return rows[0];
    });
    if (!row) {
      throw new Problem('not_found', { detail: 'You have no API key with this id.' });
    }
    return toApiKeyView(row);
  },
});
