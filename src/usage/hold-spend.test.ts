import { expect, test } from 'vitest';
import type { Tx } from '#database/index.ts';
import { newId } from '#kit/index.ts';
import { makeRecord } from '../../tests/support/call-record.ts';
import { capSpending } from '../../tests/support/cap-spending.ts';
import { hear } from '../../tests/support/hear.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { openSpendHold, SPEND_CAPS_CHANGED } from './hold-spend.ts';
import { recordCall } from './record-call.ts';

const database = useTestDatabase();
const { put, list, remove } = capSpending(database);

test('who has no caps is asked about once a second, and anew as soon as a change is told', async () => {
  const ownerId = newId();
  const clock = { at: 1_000_000, now: () => clock.at };
  let asked = 0;
  const counting: Pick<Tx, 'query'> = {
    query: (...statement: [never]) => {
      asked += 1;
      return database.current.system.query(...statement);
    },
  };
  const spend = openSpendHold({ database: { system: counting }, clock });
  const hold = () => spend.hold({ callId: newId(), ownerId, resourceId: newId(), payer: null, worstUsd: '0.6' });
  for (let time = 0; time < 3; time += 1) {
    expect(await hold()).toBeNull();
  }
  expect(asked).toBe(1);
  clock.at += 1_001;
  await hold();
  expect(asked).toBe(2);
  // As the process that sets a cap does while its transaction is open.
  spend.forgetCaps();
  expect(await hold()).toBeNull();
  await put(ownerId, { scope: 'key', perDayUsd: '1' });
  expect(await hold()).toBeNull();
  expect(await hold()).toMatchObject({ scope: 'key' });
  clock.at += 10_000;
  expect(await hold()).toMatchObject({ scope: 'key' });
});

test('whoever did not hear of a first cap holds nothing under it for a second at most, and the log counts what ran', async () => {
  const ownerId = newId();
  const clock = { at: 1_000_000, now: () => clock.at };
  const spend = openSpendHold({ database: database.current, clock });
  const hold = (callId: string) => spend.hold({ callId, ownerId, resourceId: newId(), payer: null, worstUsd: '0.6' });
  await hold(newId());
  await put(ownerId, { scope: 'key', perDayUsd: '1' });
  const unheard = makeRecord({ ownerId, at: new Date(), costUsd: '0.5' });
  expect(await hold(unheard.callId)).toBeNull();
  await recordCall(database.current.system, unheard);
  expect(await list(ownerId)).toMatchObject([{ spentUsd: '0.5' }]);
  clock.at += 1_001;
  expect(await hold(newId())).toMatchObject({ scope: 'key' });
});

test('a cap that is made while a call waits for its turn refuses that call', async () => {
  const ownerId = newId();
  await put(ownerId, { scope: 'key', perDayUsd: '5' });
  const spend = openSpendHold({ database: database.current, clock: { now: () => 0 } });
  const holding = await database.current.transaction(async (tx) => {
    await tx.query('SELECT lock_spend($1)', [ownerId]);
    const held = spend.hold({ callId: newId(), ownerId, resourceId: newId(), payer: null, worstUsd: '0.6' });
    const waits = `SELECT count(*)::int AS waiting FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
    await expect
      .poll(async () => (await database.current.system.query<{ waiting: number }>(waits)).rows[0]?.waiting)
      .toBe(1);
    await tx.query(
      `INSERT INTO spend_caps (id, owner_id, scope, subject, per_day_usd) VALUES ($1, $2, 'resource', '*', 0)`,
      [newId(), ownerId],
    );
    return { held };
  });
  expect(await holding.held).toMatchObject({ scope: 'resource' });
});

test('that caps are set, changed and deleted is told to all who listen', async () => {
  const ownerId = newId();
  const heard = await hear(database.current, SPEND_CAPS_CHANGED, async () => {
    await put(ownerId, { scope: 'key', perDayUsd: '1' });
    await put(ownerId, { scope: 'key', perDayUsd: '2' });
    const [cap] = await list(ownerId);
    await remove(ownerId, cap?.id ?? '');
  });
  expect(heard).toHaveLength(3);
});
