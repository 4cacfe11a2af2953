import { sha256Hex } from '#kit/index.ts';
import type { Vault } from './open-vault.ts';
import { toKeyContext } from './sealed-columns.ts';
import { announceChange } from './vault-changed.ts';

interface CreatorKey {
  apiKey: string;
  source: 'creator';
}

export function toKeyName(ownerId: string): string {
  return `openrouter:${ownerId}`;
}

/** The creator's OpenRouter key for a call; null when there is none, it is switched off or OpenRouter has refused it. */
export function openCreatorKey(vault: Vault, ownerId: string): Promise<CreatorKey | null> {
  return vault.cache.get(toKeyName(ownerId), async () => {
    const { rows } = await vault.database.system.query<{ sealed_key: Buffer }>({
      name: 'find_creator_key',
      text: 'SELECT sealed_key FROM user_openrouter_integrations WHERE owner_id = $1 AND is_enabled AND is_valid',
      values: [ownerId],
    });
    if (!rows[0]) {
      return null;
    }
    const apiKey = await vault.open(vault.database.system, toKeyContext(ownerId), rows[0].sealed_key);
    return { apiKey, source: 'creator' };
  });
}

/** After OpenRouter refused this very key in a call: it is not used again until it is tested or replaced. */
export async function markCreatorKeyRefused(
  vault: Vault,
  ownerId: string,
  refused: { apiKey: string; problem: string },
): Promise<void> {
  const name = toKeyName(ownerId);
  await vault.database.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      `UPDATE user_openrouter_integrations SET is_valid = false, last_problem = $3, updated_at = $4
        WHERE owner_id = $1 AND key_hash = $2 AND is_valid`,
      [
        ownerId,
        sha256Hex(refused.apiKey),
        refused.problem.replaceAll(refused.apiKey, '…').slice(0, 300),
        new Date(vault.clock.now()),
      ],
    );
    if (rowCount === 1) {
      await announceChange(tx, name);
    }
  });
  vault.cache.forget(name);
}
