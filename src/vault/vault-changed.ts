import type { Queryable } from './data-key.ts';
import type { Vault } from './open-vault.ts';

/** The channel on which processes tell each other that an opened secret is out of date. */
export const VAULT_CHANGED = 'vault_changed';

/** Call inside the transaction that changes the secret, and `vault.cache.forget` after it. */
export async function announceChange(tx: Queryable, name: string): Promise<void> {
  await tx.query('SELECT pg_notify($1, $2)', [VAULT_CHANGED, name]);
}

/** For the listener on `vault_changed`; call it with an empty payload after a reconnection. */
export function onVaultChanged(vault: Vault, payload: string): void {
  if (payload === '') {
    vault.cache.clear();
  } else {
    vault.cache.forget(payload);
  }
}
