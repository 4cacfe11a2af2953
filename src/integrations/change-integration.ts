import type { Tx } from '#database/index.ts';
import { announceChange } from '#vault/index.ts';
import type { Reaction } from './changes.ts';
import { toProblem, type IntegrationDeps, type IntegrationRow } from './integration.ts';
import type { IntegrationService } from './integration-service.ts';
import { toKeyName } from './open-key.ts';

/** The row after the change; null: deleted, `undefined`: nothing was changed after all. */
type Written = IntegrationRow | null | undefined;

interface Change<Row extends Written> {
  ownerId: string;
  write(tx: Tx): Promise<Row>;
}

interface Changed<Row extends Written> extends Pick<Reaction, 'paused' | 'resumed'> {
  row: Row;
}

/**
 * One transaction, as the owner: `write` changes the row and gives it back, what depends on it is paused or resumed, and every process is told to forget the opened key. The lock on the row puts changes made at once into an
 * order, in which each of them leaves what depends on the key as the key is then.
 */
export async function changeIntegration<Row extends Written>(
  deps: IntegrationDeps,
  service: IntegrationService,
  { ownerId, write }: Change<Row>,
): Promise<Changed<Row>> {
  const { vault, changes } = deps;
  const name = toKeyName(service, ownerId);
  const { row, reaction } = await vault.database.asUser(ownerId, async (tx) => {
    const written = await write(tx);
    if (written === undefined) {
      return { row: written, reaction: null };
    }
    const change = { ownerId, service: service.name, problem: toProblem(service, written) };
    const reacted = await changes.announce(tx, change);
    await announceChange(tx, name);
    return { row: written, reaction: reacted };
  });
  vault.cache.forget(name);
  reaction?.afterCommit();
  return { row, paused: reaction?.paused ?? [], resumed: reaction?.resumed ?? [] };
}
