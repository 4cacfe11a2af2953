import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { assertUser, operation, Problem, type Caller, type Clock } from '#kit/index.ts';
import { apiKeyView, toApiKeyView, type ApiKeyRow } from './api-key-view.ts';

interface Deps {
  clock: Clock;
  /** What this process remembers of keys; the others are told with the commit. */
  forgetKeys(): void;
}

const input = z.object({ id: z.uuid() });

export const revokeApiKey = operation({
  name: 'account.api_keys.revoke',
  route: 'DELETE /api/user/api-keys/:id',
  summary: 'Revoke an API key at once and for good',
  scope: 'session',
  input,
  output: apiKeyView,
  problems: ['not_found'],
  run: async ({ tx, clock, forgetKeys }: Deps & InTransaction, caller: Caller, { id }) => {
    assertUser(caller);
    const { rows } = await tx.query<ApiKeyRow>(
      'UPDATE api_keys SET revoked_at = coalesce(revoked_at, $3) WHERE id = $1 AND owner_id = $2 RETURNING *',
      [id, caller.userId, new Date(clock.now())],
    );
    const row = rows[0];
    if (!row) {
      throw new Problem('not_found', { detail: 'You have no API key with this id.' });
    }
    forgetKeys();
    return toApiKeyView(row);
  },
});
