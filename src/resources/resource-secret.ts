import type { Database } from '#database/index.ts';
import { openSecret, type SealContext, type Vault } from '#vault/index.ts';

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

/** The key of the resource's upstream, for a call; null when none is stored. */
export function openResourceSecret({ vault }: Pick<ResourceSecretDeps, 'vault'>, place: SecretPlace) {
  return openSecret(vault, toSecretContext(place));
}
