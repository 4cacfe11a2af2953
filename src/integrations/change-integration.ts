import type { InTransaction, Tx } from '#database/index.ts';
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

interface Changed<Row extends Written> extends Pick<Reaction, 'paused' | 'resumed' | 'stillSelling'> {
  row: Row;
}

/**
 * In a transaction of the owner: `write` changes the row and gives it back, what depends on it is paused or resumed, and
 * every process is told to forget the opened key. The lock on the row puts changes made at once into an
 * order, in which each of them leaves what depends on the key as the key is then.
 */
export async function changeIntegration<Row extends Written>(
  deps: IntegrationDeps & Pick<InTransaction, 'tx' | 'afterCommit'>,
  service: IntegrationService,
  { ownerId, write }: Change<Row>,
): Promise<Changed<Row>> {
  const { vault, changes, tx, afterCommit } = deps;
  const name = toKeyName(service, ownerId);
  const row = await write(tx);
  afterCommit(() => vault.cache.forget(name));
  if (row === undefined) {
    return { row, paused: [], resumed: [], stillSelling: [] };
  }
  const change = {
    ownerId,
    service: service.name,
    problem: toProblem(service, row),
    isRefused: row?.is_valid === false,
  };
  const reaction = await changes.announce(tx, change);
  await announceChange(tx, name);
  afterCommit(() => reaction.afterCommit());
  const { paused, resumed, stillSelling } = reaction;
  return { row, paused, resumed, stillSelling };
}
