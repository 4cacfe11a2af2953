import { beforeAll, expect, test } from 'vitest';
import { anonymous, onBehalfOf, type Caller } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { openTransact } from './transact.ts';

const database = useTestDatabase();
const ada = onBehalfOf({ userId: 'ada', username: 'ada', email: '' });
type Work = Parameters<ReturnType<typeof openTransact>>[1];

beforeAll(async () => {
  await database.current.system.query(
    `INSERT INTO users (id, name, email, username) SELECT u, u, u || '@example.com', u FROM unnest($1::text[]) AS u`,
    [['ada', 'bob']],
  );
});

const transact = (caller: Caller, work: Work, isReadOnly = false) =>
  openTransact(database.current)({ caller, isReadOnly }, work);
const SEEN = 'SELECT current_user AS role, (SELECT array_agg(id ORDER BY id) FROM users) AS ids';

test('a user sees what is theirs, and the system what is everybody\u2019s, in one transaction', async () => {
  const seen = await transact(ada, async ({ tx, asSystem }) => [
    (await tx.query(SEEN)).rows[0],
    await asSystem(async (system) => (await system.query(SEEN)).rows[0]),
    (await tx.query(SEEN)).rows[0],
    (await tx.query('SELECT count(DISTINCT txid_current())::int AS n')).rows[0],
  ]);
  const own = { role: 'farebox_app', ids: ['ada'] };
  expect(seen).toEqual([own, { role: 'farebox_system', ids: ['ada', 'bob'] }, own, { n: 1 }]);
});

test('the rights of the system end also when what was done with them fails', async () => {
  const role = await transact(ada, async ({ tx, asSystem }) => {
    await expect(asSystem(() => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    return (await tx.query(SEEN)).rows[0];
  });
  expect(role).toMatchObject({ role: 'farebox_app' });
  await expect(transact(ada, ({ asSystem }) => asSystem((tx) => tx.query('SELECT 1 / 0')))).rejects.toThrow(
    'division by zero',
  );
  expect(await transact(ada, async ({ tx }) => (await tx.query(SEEN)).rows[0])).toMatchObject({ role: 'farebox_app' });
});

test('what was written as the user and as the system is undone together', async () => {
  const attempt = transact(ada, async ({ asSystem }) => {
    await asSystem((tx) => tx.query(`UPDATE users SET name = 'changed'`));
    throw new Error('later');
  });
  await expect(attempt).rejects.toThrow('later');
  const { rows } = await database.current.system.query(`SELECT 1 FROM users WHERE name = 'changed'`);
  expect(rows).toEqual([]);
});

test('nobody known acts with the rights of the system', async () => {
  const seen = await transact(anonymous, ({ asSystem }) => asSystem(async (tx) => (await tx.query(SEEN)).rows[0]));
  expect(seen).toMatchObject({ role: 'farebox_system' });
});

test.each<[string, Caller]>([
  ['a user', ada],
  ['nobody known', anonymous],
])('a read of %s cannot write, neither as itself nor as the system', async (_, caller) => {
  const write = transact(caller, ({ asSystem }) => asSystem((tx) => tx.query(`UPDATE users SET name = 'x'`)), true);
  await expect(write).rejects.toThrow('read-only transaction');
});
