import type { Vault } from './open-vault.ts';
import { toKeyContext } from './sealed-columns.ts';

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
