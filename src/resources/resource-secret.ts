import type { Database, Tx } from '#database/index.ts';
import { Problem } from '#kit/index.ts';
import { openSecret, type SealContext, type Vault } from '#vault/index.ts';
import { findOwn } from './own-resource.ts';

/** The one secret that a resource can have today. */
export const SECRET_FIELD = 'upstream_api_key';

export interface ResourceSecretDeps {
  database: Database;
  vault: Vault;
}

export interface SecretPlace {
  ownerId: string;
  resourceId: string;
}

export function toSecretContext({ ownerId, resourceId }: SecretPlace): SealContext {
  return { table: 'x402_resources', row: resourceId, ownerId, field: SECRET_FIELD };
}

/** Throws `not_found` for a resource of somebody else, as for one that does not exist. */
export async function assertOwn(tx: Tx, resourceId: string): Promise<void> {
  if (!(await findOwn(tx, resourceId))) {
    throw new Problem('not_found', { detail: 'You have no resource with this id.' });
  }
}

/** The key of the resource's upstream, for a call; null when none is stored. */
export function openResourceSecret({ vault }: Pick<ResourceSecretDeps, 'vault'>, place: SecretPlace) {
  return openSecret(vault, toSecretContext(place));
}
