import { z } from 'zod';
import { assertUser } from '#accounts/index.ts';
import type { Tx } from '#database/index.ts';
import { newId, operation, sha256Hex } from '#kit/index.ts';
import { alignAffected, describeAffected } from './align-affected.ts';
import { getSnapshot } from './check-key.ts';
import { toKeyName } from './creator-key.ts';
import type { Vault } from './open-vault.ts';
import {
  affectedResource,
  integrationView,
  toIntegrationView,
  type IntegrationDeps,
  type IntegrationRow,
  type keySnapshot,
} from './openrouter-integration.ts';
import { toKeyContext } from './sealed-columns.ts';
import { announceChange } from './vault-changed.ts';

const input = z.object({
  apiKey: z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]{8,512}$/, 'An OpenRouter key is 8 to 512 printable characters without spaces.'),
  isEnabled: z.boolean().default(true),
});
const output = integrationView.extend({ resumed: z.array(affectedResource) });

export const putOpenrouter = operation<IntegrationDeps, typeof input, typeof output>({
  name: 'integrations.openrouter.put',
  route: 'PUT /api/user/integrations/openrouter',
  summary: 'Test an OpenRouter key and store it encrypted; resumes what was paused for want of a key',
  scope: 'integrations:write',
  input,
  output,
  async run(deps, caller, { apiKey, isEnabled }) {
    assertUser(caller);
    const { vault } = deps;
    const snapshot = await getSnapshot(deps, apiKey);
    const row = await vault.database.asUser(caller.userId, (tx) =>
      storeKey(vault, tx, { ownerId: caller.userId, apiKey, isEnabled, snapshot }),
    );
    vault.cache.forget(toKeyName(caller.userId));
    const { resumed } = await alignAffected(deps, caller.userId);
    return { ...toIntegrationView(row), resumed: await describeAffected(deps, caller.userId, resumed) };
  },
});

interface NewKey {
  ownerId: string;
  apiKey: string;
  isEnabled: boolean;
  snapshot: z.output<typeof keySnapshot>;
}

async function storeKey(vault: Vault, tx: Tx, key: NewKey): Promise<IntegrationRow> {
  const sealed = await vault.seal(tx, toKeyContext(key.ownerId), key.apiKey);
  const { rows } = await tx.query<IntegrationRow>(
    `INSERT INTO user_openrouter_integrations AS i
       (owner_id, id, label, sealed_key, key_hash, last_four, is_enabled, is_valid, snapshot, last_checked_at, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, true, $8, $9, $9, $9)
     ON CONFLICT (owner_id) DO UPDATE SET
       label = excluded.label, sealed_key = excluded.sealed_key, key_hash = excluded.key_hash,
       last_four = excluded.last_four, is_enabled = excluded.is_enabled, is_valid = true, snapshot = excluded.snapshot,
       last_checked_at = excluded.last_checked_at, last_problem = NULL, updated_at = excluded.updated_at
     RETURNING *`,
    [
      key.ownerId,
      newId(),
      key.snapshot.label,
      sealed,
      sha256Hex(key.apiKey),
      key.apiKey.slice(-4),
      key.isEnabled,
      key.snapshot,
      new Date(vault.clock.now()),
    ],
  );
  await announceChange(tx, toKeyName(key.ownerId));
  return rows[0] as IntegrationRow;
}
