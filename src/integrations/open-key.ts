import type { SealContext } from '#vault/index.ts';
import { toProblem, type IntegrationDeps, type IntegrationRow } from './integration.ts';
import type { IntegrationService } from './integration-service.ts';

/** The name under which the opened key is held in memory and announced as changed. */
export function toKeyName(service: Pick<IntegrationService, 'name'>, ownerId: string): string {
  return `${service.name}:${ownerId}`;
}

/** An owner has one key of a service, so the owner names the row. */
export function toKeyPlace(service: Pick<IntegrationService, 'table'>, ownerId: string): SealContext {
  return { table: service.table, row: ownerId, ownerId, field: 'api_key' };
}

/** The owner's key of a service for a call; null when there is none, it is switched off or the provider has refused it. */
export async function openKey(
  deps: Pick<IntegrationDeps, 'vault' | 'services'>,
  wanted: { service: string; ownerId: string },
): Promise<{ apiKey: string } | null> {
  const { vault } = deps;
  const { ownerId } = wanted;
  const service = getService(deps, wanted.service);
  return vault.cache.get(toKeyName(service, ownerId), async () => {
    const { rows } = await vault.database.system.query<{ sealed_key: Buffer }>({
      name: `find_${service.name}_key`,
      text: `SELECT sealed_key FROM ${service.table} WHERE owner_id = $1 AND is_enabled AND is_valid`,
      values: [ownerId],
    });
    const sealed = rows[0]?.sealed_key;
    return sealed ? { apiKey: await vault.open(vault.database.system, toKeyPlace(service, ownerId), sealed) } : null;
  });
}

/** Why `openKey` finds none, and what to do; for the owner. `key_missing`, or `key_unusable` where one is stored. */
export async function explainMissingKey(
  { vault, services }: Pick<IntegrationDeps, 'vault' | 'services'>,
  wanted: { service: string; ownerId: string },
): Promise<string> {
  const service = getService({ services }, wanted.service);
  const { rows } = await vault.database.system.query<IntegrationRow>(
    `SELECT * FROM ${service.table} WHERE owner_id = $1`,
    [wanted.ownerId],
  );
  const problem = rows[0] && toProblem(service, rows[0]);
  const { name, provider, credential } = service;
  return problem
    ? `key_unusable: ${problem}`
    : `key_missing: This runs with your ${provider} ${credential}, and none is stored. ${service.remedy} Store it with PUT /api/user/integrations/${name}.`;
}

/** Throws for a name that no service has: names come from kinds of resource, so that is a mistake in the code. */
export function getService({ services }: Pick<IntegrationDeps, 'services'>, name: string): IntegrationService {
  const found = services.find((service) => service.name === name);
  if (!found) {
    throw new Error(`There is no integration called "${name}".`);
  }
  return found;
}
