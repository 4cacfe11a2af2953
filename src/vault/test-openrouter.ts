import { z } from 'zod';
import { assertUser } from '#accounts/index.ts';
import { operation } from '#kit/index.ts';
import { alignAffected } from './align-affected.ts';
import { checkKey } from './check-key.ts';
import { toKeyName } from './creator-key.ts';
import {
  getIntegration,
  integrationView,
  toIntegrationView,
  type IntegrationDeps,
  type IntegrationRow,
} from './openrouter-integration.ts';
import { toKeyContext } from './sealed-columns.ts';
import { announceChange } from './vault-changed.ts';

const input = z.object({});
const output = z.object({ ok: z.boolean(), problem: z.string().nullable(), integration: integrationView });

export const testOpenrouter = operation<IntegrationDeps, typeof input, typeof output>({
  name: 'integrations.openrouter.test',
  route: 'POST /api/user/integrations/openrouter/test',
  summary: 'Ask OpenRouter about the stored key again and keep what it says',
  scope: 'integrations:write',
  input,
  output,
  async run(deps, caller) {
    assertUser(caller);
    const { vault } = deps;
    const { row, apiKey } = await vault.database.asUser(caller.userId, async (tx) => {
      const found = await getIntegration(tx, caller);
      return { row: found, apiKey: await vault.open(tx, toKeyContext(caller.userId), found.sealed_key) };
    });
    const checked = await checkKey(deps, apiKey);
    if (checked.verdict === 'unclear') {
      return { ok: false, problem: checked.detail, integration: toIntegrationView(row) };
    }
    const problem = checked.verdict === 'good' ? null : checked.detail;
    const snapshot = checked.verdict === 'good' ? checked.snapshot : row.snapshot;
    const stored = await storeVerdict(deps, row, { problem, snapshot });
    await alignAffected(deps, caller.userId);
    return { ok: problem === null, problem, integration: toIntegrationView(stored ?? row) };
  },
});

/** Guarded by the hash: a key that was replaced while OpenRouter was asked is not judged by this answer. */
async function storeVerdict(
  { vault }: IntegrationDeps,
  tested: IntegrationRow,
  verdict: { problem: string | null; snapshot: IntegrationRow['snapshot'] },
): Promise<IntegrationRow | undefined> {
  const name = toKeyName(tested.owner_id);
  const row = await vault.database.asUser(tested.owner_id, async (tx) => {
    const { rows } = await tx.query<IntegrationRow>(
      `UPDATE user_openrouter_integrations
          SET is_valid = $3, last_problem = $4, snapshot = $5, label = $6, last_checked_at = $7, updated_at = $7
        WHERE owner_id = $1 AND key_hash = $2 RETURNING *`,
      [
        tested.owner_id,
        tested.key_hash,
        verdict.problem === null,
        verdict.problem,
        verdict.snapshot,
        verdict.snapshot.label,
        new Date(vault.clock.now()),
      ],
    );
    await announceChange(tx, name);
    return rows[0];
  });
  vault.cache.forget(name);
  return row;
}
