import type { Tx } from '#database/index.ts';
import { newId } from '#kit/index.ts';
import type { Vault } from './open-vault.ts';
import type { SealContext } from './seal.ts';
import { announceChange } from './vault-changed.ts';

/**
 * Stores or replaces the secret of a row of some table, as its owner, whose row that is. Call `forgetSecret` after the
 * commit.
 */
export async function storeSecret(
  vault: Vault,
  tx: Tx,
  { context, plaintext }: { context: SealContext; plaintext: string },
): Promise<void> {
  const sealed = await vault.seal(tx, context, plaintext);
  await tx.query(
    `INSERT INTO vault_secrets (id, owner_id, table_name, row_id, field, sealed, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (owner_id, table_name, row_id, field) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at`,
    [newId(), ...toKey(context), sealed, new Date(vault.clock.now())],
  );
  await announceChange(tx, toName(context));
}

/** Call `forgetSecret` after the commit. @returns whether there was one. */
export async function dropSecret(tx: Tx, context: SealContext): Promise<boolean> {
  const { rowCount } = await tx.query(
    'DELETE FROM vault_secrets WHERE owner_id = $1 AND table_name = $2 AND row_id = $3 AND field = $4',
    toKey(context),
  );
  await announceChange(tx, toName(context));
  return rowCount === 1;
}

/** As the system, for a call; null when none is stored. Shared for a few seconds. */
export function openSecret(vault: Vault, context: SealContext): Promise<string | null> {
  return vault.cache.get(toName(context), async () => {
    const { rows } = await vault.database.system.query<{ sealed: Buffer }>({
      name: 'find_vault_secret',
      text: 'SELECT sealed FROM vault_secrets WHERE owner_id = $1 AND table_name = $2 AND row_id = $3 AND field = $4',
      values: toKey(context),
    });
    return rows[0] ? vault.open(vault.database.system, context, rows[0].sealed) : null;
  });
}

export function forgetSecret(vault: Vault, context: SealContext): void {
  vault.cache.forget(toName(context));
}

function toKey({ ownerId, table, row, field }: SealContext): string[] {
  return [ownerId, table, row, field];
}

function toName(context: SealContext): string {
  return `secret:${toKey(context).join(':')}`;
}
