import type { Tx } from '#database/index.ts';
import { newId } from '#kit/index.ts';
import type { Vault } from './open-vault.ts';
import type { SealContext } from './seal.ts';
import { announceChange } from './vault-changed.ts';

const TABLE = 'x402_resources';

/** Which secret of which resource, for example the key of an upstream. */
export interface SecretPlace {
  ownerId: string;
  resourceId: string;
  field: string;
}

interface Deps {
  vault: Vault;
}

/** Stores or replaces the secret. Whether the resource is the owner's has been checked by the caller. */
export async function sealResourceSecret({ vault }: Deps, place: SecretPlace, value: string): Promise<void> {
  await change(vault, place, async (tx) => {
    const sealed = await vault.seal(tx, toContext(place), value);
    await tx.query(
      `INSERT INTO vault_secrets (id, owner_id, table_name, row_id, field, sealed, updated_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (owner_id, table_name, row_id, field) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at`,
      [newId(), place.ownerId, TABLE, place.resourceId, place.field, sealed, new Date(vault.clock.now())],
    );
  });
}

/** @returns whether there was one. */
export async function dropResourceSecret({ vault }: Deps, place: SecretPlace): Promise<boolean> {
  return change(vault, place, async (tx) => {
    const { rowCount } = await tx.query(
      'DELETE FROM vault_secrets WHERE owner_id = $1 AND table_name = $2 AND row_id = $3 AND field = $4',
      [place.ownerId, TABLE, place.resourceId, place.field],
    );
    return rowCount === 1;
  });
}

/** For execution, as the system; null when none is stored. Shared for a few seconds. */
export function openResourceSecret({ vault }: Deps, place: SecretPlace): Promise<string | null> {
  return vault.cache.get(toName(place), async () => {
    const { rows } = await vault.database.system.query<{ sealed: Buffer }>({
      name: 'find_resource_secret',
      text: 'SELECT sealed FROM vault_secrets WHERE owner_id = $1 AND table_name = $2 AND row_id = $3 AND field = $4',
      values: [place.ownerId, TABLE, place.resourceId, place.field],
    });
    return rows[0] ? vault.open(vault.database.system, toContext(place), rows[0].sealed) : null;
  });
}

async function change<T>(vault: Vault, place: SecretPlace, run: (tx: Tx) => Promise<T>): Promise<T> {
  const result = await vault.database.asUser(place.ownerId, async (tx) => {
    const done = await run(tx);
    await announceChange(tx, toName(place));
    return done;
  });
  vault.cache.forget(toName(place));
  return result;
}

function toContext({ ownerId, resourceId, field }: SecretPlace): SealContext {
  return { table: TABLE, row: resourceId, ownerId, field };
}

function toName(place: SecretPlace): string {
  return `secret:${place.ownerId}:${place.resourceId}:${place.field}`;
}
