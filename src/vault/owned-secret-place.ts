import { assertUser } from '#accounts/index.ts';
import { Problem, type Caller } from '#kit/index.ts';
import type { Vault } from './open-vault.ts';
import type { SecretPlace } from './resource-secret.ts';

/** The one secret that a resource can have today. */
export const FIELD = 'upstream_api_key';

export interface ResourceSecretDeps {
  vault: Vault;
  ownsResource(ownerId: string, resourceId: string): Promise<boolean>;
}

/** Throws `not_found` for a resource of somebody else, as for one that does not exist. */
export async function getOwnedPlace(
  deps: ResourceSecretDeps,
  caller: Caller,
  resourceId: string,
): Promise<SecretPlace> {
  assertUser(caller);
  const ownerId = caller.userId;
  if (!(await deps.ownsResource(ownerId, resourceId))) {
    throw new Problem('not_found', { detail: 'You have no resource with this id.' });
  }
  return { ownerId, resourceId, field: FIELD };
}
