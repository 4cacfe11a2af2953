import type { IntegrationDeps, IntegrationRow } from './integration.ts';
import type { IntegrationService } from './integration-service.ts';
import { toKeyPlace } from './open-key.ts';

/** What the owner gave, for work that needs more than the key; null where there is none, it is switched off or was refused. */
export async function openConnection<Given extends object, Shown extends object>(
  { vault }: Pick<IntegrationDeps, 'vault'>,
  service: IntegrationService<Given, Shown>,
  ownerId: string,
): Promise<Given | null> {
  const { system } = vault.database;
  const { rows } = await system.query<Pick<IntegrationRow, 'sealed_key' | 'snapshot'>>(
    `SELECT sealed_key, snapshot FROM ${service.table} WHERE owner_id = $1 AND is_enabled AND is_valid`,
    [ownerId],
  );
  const [row] = rows;
  if (!row) {
    return null;
  }
  const key = await vault.open(system, toKeyPlace(service, ownerId), row.sealed_key);
  return service.toGiven(key, service.shown.parse(row.snapshot));
}

/** Which of these owners have a connection of the service that works. */
export async function listConnected(
  { vault }: Pick<IntegrationDeps, 'vault'>,
  { table }: Pick<IntegrationService, 'table'>,
  ownerIds: readonly string[],
): Promise<string[]> {
  const { rows } = await vault.database.system.query<{ owner_id: string }>(
    `SELECT owner_id FROM ${table} WHERE owner_id = ANY ($1) AND is_enabled AND is_valid`,
    [ownerIds],
  );
  return rows.map(({ owner_id: id }) => id);
}
