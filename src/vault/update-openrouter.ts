import { z } from 'zod';
import { assertUser } from '#accounts/index.ts';
import { operation } from '#kit/index.ts';
import { alignAffected, describeAffected } from './align-affected.ts';
import { toKeyName } from './creator-key.ts';
import {
  affectedResource,
  getIntegration,
  integrationView,
  pauseCauses,
  refuseMissing,
  toIntegrationView,
  type IntegrationDeps,
  type IntegrationRow,
} from './openrouter-integration.ts';
import { announceChange } from './vault-changed.ts';

const input = z.object({ isEnabled: z.boolean() });
const output = integrationView.extend({ paused: z.array(affectedResource), resumed: z.array(affectedResource) });

export const updateOpenrouter = operation<IntegrationDeps, typeof input, typeof output>({
  name: 'integrations.openrouter.update',
  route: 'PATCH /api/user/integrations/openrouter',
  summary: 'Switch the stored OpenRouter key on or off; pauses or resumes what depends on it',
  scope: 'integrations:write',
  input,
  output,
  async run(deps, caller, { isEnabled }) {
    assertUser(caller);
    const { vault } = deps;
    const ownerId = caller.userId;
    await vault.database.asUser(ownerId, (tx) => getIntegration(tx, caller));
    // Paused before the key goes, so that no offer stands without a key behind it.
    const paused = isEnabled ? [] : await deps.pauseAffected(ownerId, pauseCauses.disabled);
    const row = await vault.database.asUser(ownerId, async (tx) => {
      const { rows } = await tx.query<IntegrationRow>(
        'UPDATE user_openrouter_integrations SET is_enabled = $2, updated_at = $3 WHERE owner_id = $1 RETURNING *',
        [ownerId, isEnabled, new Date(vault.clock.now())],
      );
      await announceChange(tx, toKeyName(ownerId));
      return rows[0];
    });
    vault.cache.forget(toKeyName(ownerId));
    const aligned = await alignAffected(deps, ownerId);
    return {
      ...toIntegrationView(row ?? refuseMissing()),
      paused: await describeAffected(deps, ownerId, [...paused, ...aligned.paused]),
      resumed: await describeAffected(deps, ownerId, aligned.resumed),
    };
  },
});
