import { sha256Hex } from '#kit/index.ts';
import { alignAffected } from './align-affected.ts';
import { toKeyName } from './creator-key.ts';
import type { IntegrationDeps } from './openrouter-integration.ts';
import { announceChange } from './vault-changed.ts';

const MAX_PROBLEM = 300;

/**
 * After OpenRouter refused this very key in a call: it is not used again, and what depends on it is paused, until it is
 * tested with success or replaced. Does nothing when the key has been replaced meanwhile.
 */
export async function refuseCreatorKey(
  deps: IntegrationDeps,
  ownerId: string,
  refused: { apiKey: string; problem: string },
): Promise<void> {
  const { vault } = deps;
  const name = toKeyName(ownerId);
  const problem = refused.problem.replaceAll(refused.apiKey, '…').slice(0, MAX_PROBLEM);
  const isCurrent = await vault.database.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      `UPDATE user_openrouter_integrations SET is_valid = false, last_problem = $3, updated_at = $4
        WHERE owner_id = $1 AND key_hash = $2 AND is_valid`,
      [ownerId, sha256Hex(refused.apiKey), problem, new Date(vault.clock.now())],
    );
    await announceChange(tx, name);
    return rowCount === 1;
  });
  vault.cache.forget(name);
  if (isCurrent) {
    await alignAffected(deps, ownerId);
  }
}
