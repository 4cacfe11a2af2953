import { expect, test } from 'vitest';
import type { Database, Tx } from '#database/index.ts';
import { makeRecord } from '../../tests/support/call-record.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { closeHours } from './close-hours.ts';
import { recordCall } from './record-call.ts';

const database = useTestDatabase();

const pay = (executor: Pick<Tx, 'query'>, payer: string) => recordCall(executor, makeRecord({ payer }));

/** Runs `then` between the two statements of the first batch: the one that gives numbers, and the one that adds up. */
function interrupt(real: Database, then: () => Promise<unknown>): Database {
  let isDone = false;
  return {
    ...real,
    transaction: (run) =>
      real.transaction((tx) => {
        const query = async (text: string, values?: unknown[]) => {
          if (!isDone && text.includes('DELETE FROM usage_changes')) {
            isDone = true;
            await then();
          }
          return tx.query(text, values);
        };
        return run(Object.assign(Object.create(tx) as Tx, { query }));
      }),
  };
}

test('a backlog is added up to its end, also where a batch leaves out a call that was committed meanwhile', async () => {
  const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const first = database.current.transaction(async (tx) => {
    await pay(tx, '0xfirst');
    begun.resolve();
    await ended.promise;
  });
  await begun.promise;
  for (const payer of ['0xa', '0xb', '0xc', '0xd']) {
    await pay(database.current.system, payer);
  }
  const interrupted = interrupt(database.current, () => {
    ended.resolve();
    return first;
  });
  expect(await closeHours(interrupted, 2)).toBe(5);
  const { rows } = await database.current.system.query('SELECT 1 FROM usage_changes');
  expect(rows).toEqual([]);
});
