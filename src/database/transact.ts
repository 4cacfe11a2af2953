import type { OperationPorts, InTransaction as Given } from '#kit/index.ts';
import type { Database, Tx } from './open-database.ts';

/** What an operation's `run` is given beside its own dependencies. */
export type InTransaction<Prepared = undefined> = Given<Tx, Prepared>;

/** Transactions for operations: as farebox_app for a known user, as farebox_system for nobody known. */
export function openTransact(database: Database): OperationPorts<Tx>['transact'] {
  return ({ caller, isReadOnly }, work) => {
    const begin = async (tx: Tx, asSystem: InTransaction['asSystem']) => {
      if (isReadOnly) {
        await tx.query('SET TRANSACTION READ ONLY');
      }
      return work({ tx, asSystem });
    };
    return caller.kind === 'user'
      ? database.asUser(caller.userId, (tx) => begin(tx, (run) => changeRole(tx, run)))
      : database.transaction((tx) => begin(tx, (run) => run(tx)));
  };
}

/** Nothing else may be sent on this connection until it is over: it would be done with the rights of the system. */
async function changeRole<T>(tx: Tx, run: (tx: Tx) => Promise<T>): Promise<T> {
  await tx.query('SET LOCAL ROLE farebox_system');
  try {
    return await run(tx);
  } finally {
    // It can fail only where the transaction is broken, and then nothing more can be done in it as anybody.
    await tx.query('SET LOCAL ROLE farebox_app').catch(() => {});
  }
}
