import { beforeEach, expect, test } from 'vitest';
import { openDatabase } from '#database/index.ts';
import { newId } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { openPlatformBudget } from './index.ts';

const database = useTestDatabase();
const START_MS = Date.parse('2026-01-02T23:00:00.000Z');
const clock = { nowMs: START_MS, now: () => clock.nowMs };
beforeEach(() => {
  clock.nowMs = START_MS;
});
const call = (worstUsd: string) => ({ callId: newId(), worstUsd });
const open = (dailyUsd = '1', on = database.current) => openPlatformBudget({ database: on, clock, dailyUsd });

test('a creator who begins everything at once, in two processes, spends no more than the day allows', async () => {
  const elsewhere = openDatabase({ url: database.url, systemConnections: 4, userConnections: 1 });
  const budgets = [open(), open('1', elsewhere)];
  const owner = newId();
  const reserved = await Promise.all(
    Array.from({ length: 24 }, (_, at) => (budgets[at % 2] ?? open()).reserve(owner, call('0.15'))),
  );
  expect(reserved.filter((id) => id !== null)).toHaveLength(6);
  expect(await open().reserve(newId(), call('0.15'))).not.toBeNull();
  await elsewhere.close();
});

test('what a run did cost makes room again; a run whose end nobody knows counts at its worst until the day is over', async () => {
  const owner = newId();
  const [cheap, lost] = [await open().reserve(owner, call('0.5')), await open().reserve(owner, call('0.5'))];
  expect(await open().hasRoom(owner, '0.01')).toBe(false);
  await open().close(cheap ?? '', '0.000012');
  await open().close(lost ?? '', null);
  expect(await open().hasRoom(owner, '0.499988')).toBe(true);
  expect(await open().hasRoom(owner, '0.499989')).toBe(false);
  expect(open().retryAfterSeconds()).toBe(3_600);
  clock.nowMs += 3_600_000;
  expect(await open().hasRoom(owner, '1')).toBe(true);
});

test('there is room for a run exactly where it could be reserved, and none for a while after one that did not fit', async () => {
  const owner = newId();
  const budget = open();
  expect(await budget.hasRoom(owner, '1.01')).toBe(false);
  expect(await budget.reserve(owner, call('1.01'))).toBeNull();
  clock.nowMs += 60_000;
  await budget.reserve(owner, call('0.95'));
  expect([await budget.hasRoom(owner, '0.05'), await budget.hasRoom(owner, '0.06')]).toEqual([true, false]);
  expect(await budget.reserve(owner, call('0.06'))).toBeNull();
  expect(await budget.hasRoom(owner, '0.01')).toBe(false);
  clock.nowMs += 60_000;
  expect(await budget.hasRoom(owner, '0.05')).toBe(true);
});

test('what a day has cost stands in one row, however many runs it had, and an end that is told twice counts once', async () => {
  const owner = newId();
  const budget = open();
  const ids = await Promise.all(Array.from({ length: 8 }, () => budget.reserve(owner, call('0.1'))));
  await Promise.all(ids.flatMap((id) => [budget.close(id ?? '', '0.01'), budget.close(id ?? '', '0.01')]));
  expect(await budget.reserve(owner, call('0.2'))).not.toBeNull();
  const { rows } = await database.current.system.query(
    `SELECT spent_usd::float8 AS spent, reserved_usd::float8 AS reserved,
       (SELECT count(*)::int FROM platform_key_runs r WHERE r.owner_id = d.owner_id) AS open
     FROM platform_key_days d WHERE owner_id = $1`,
    [owner],
  );
  expect(rows).toEqual([{ spent: 0.08, reserved: 0.2, open: 1 }]);
});

test('what is held before a call is paid is what its run takes, once, and a call that is not run gives it back', async () => {
  const owner = newId();
  const budget = open();
  const [first, second, third] = [call('0.4'), call('0.4'), call('0.4')];
  expect([await budget.hold(owner, first), await budget.hold(owner, second)]).toEqual([true, true]);
  expect(await open().hold(owner, third)).toBe(false);
  const begun = await budget.reserve(owner, first);
  await budget.release(first.callId);
  expect(await open().hold(owner, third)).toBe(false);
  await budget.release(second.callId);
  expect(await open().hold(owner, third)).toBe(true);
  await budget.close(begun ?? '', '0.1');
  expect(await open().reserve(owner, call('0.5'))).not.toBeNull();
  expect(await open().reserve(owner, call('0.01'))).toBeNull();
});

test('days that no limit asks for any more are forgotten', async () => {
  const owner = newId();
  await open().reserve(owner, call('0.5'));
  const count = async () => {
    const { rows } = await database.current.system.query<{ kept: number }>(
      `SELECT (SELECT count(*)::int FROM platform_key_days WHERE owner_id = $1) +
         (SELECT count(*)::int FROM platform_key_runs WHERE owner_id = $1) AS kept`,
      [owner],
    );
    return rows[0]?.kept;
  };
  await open().forgetOld();
  expect(await count()).toBe(2);
  clock.nowMs += 36 * 86_400_000;
  await open().forgetOld();
  expect(await count()).toBe(0);
});
