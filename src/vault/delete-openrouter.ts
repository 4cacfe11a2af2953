import { z } from 'zod';
import { assertUser } from '#accounts/index.ts';
import { operation } from '#kit/index.ts';
import { alignAffected, describeAffected } from './align-affected.ts';
import { toKeyName } from './creator-key.ts';
import { affectedResource, getIntegration, pauseCauses, type IntegrationDeps } from './openrouter-integration.ts';
import { announceChange } from './vault-changed.ts';

const input = z.object({});
const output = z.object({ deleted: z.literal(true), paused: z.array(affectedResource) });

export const deleteOpenrouter = operation<IntegrationDeps, typeof input, typeof output>({
  name: 'integrations.openrouter.delete',
  route: 'DELETE /api/user/integrations/openrouter',
  summary: 'Pause what depends on the OpenRouter key, then delete the key',
  scope: 'integrations:write',
  input,
  output,
  async run(deps, caller) {
    assertUser(caller);
    const { vault } = deps;
    const ownerId = caller.userId;
    await vault.database.asUser(ownerId, (tx) => getIntegration(tx, caller));
    // Paused before the key goes, so that no offer stands without a key behind it.
    const paused = await deps.pauseAffected(ownerId, pauseCauses.deleted);
    await vault.database.asUser(ownerId, async (tx) => {
      await tx.query('DELETE FROM user_openrouter_integrations WHERE owner_id = $1', [ownerId]);
      await announceChange(tx, toKeyName(ownerId));
    });
    vault.cache.forget(toKeyName(ownerId));
    const aligned = await alignAffected(deps, ownerId);
    return { deleted: true, paused: await describeAffected(deps, ownerId, [...paused, ...aligned.paused]) };
  },
});
