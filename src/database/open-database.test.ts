import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { openDatabase } from './open-database.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';

const database = useTestDatabase();

test('queries run as roles that row-level security binds', async () => {
  const { rows } = await database.current.system.query(
    'SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user',
  );
  expect(rows).toEqual([{ current_user: 'farebox_system', rolsuper: false, rolbypassrls: false }]);
});

test('asUser sets the user inside its transaction only', async () => {
  const inside = await database.current.asUser(
    'u1',
    async (tx) => (await tx.query('SELECT current_user AS role, app_user_id() AS id')).rows[0],
  );
  expect(inside).toEqual({ role: 'farebox_app', id: 'u1' });
  const after = await database.current.system.query('SELECT app_user_id() AS id');
  expect(after.rows[0]).toEqual({ id: null });
});

test('a transaction is rolled back when its work throws', async () => {
  const work = database.current.transaction(async (tx) => {
    await tx.query('CREATE TEMP TABLE doomed (n int)');
    throw new Error('stop');
  });
  await expect(work).rejects.toThrow('stop');
  const { rows } = await database.current.system.query(`SELECT to_regclass('pg_temp.doomed') AS found`);
  expect(rows[0]).toEqual({ found: null });
});

test('the database pools survive the loss of every connection, in use and idle, again and again', async () => {
  const broken: Error[] = [];
  const opened = openDatabase({ url: database.url, onError: (error) => void broken.push(error) });
  const admin = new pg.Pool({ connectionString: inject('adminUrl'), max: 1 });
  const terminateAll = () =>
    admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
      new URL(database.url).pathname.slice(1),
    ]);
  try {
    for (let round = 0; round < 5; round += 1) {
      const struck = Array.from({ length: 3 }, () =>
        opened.transaction(async (tx) => {
          await tx.query('SELECT 1');
          const lost = new Promise((resolve) => tx.once('end', resolve));
          await terminateAll();
          await lost;
          await tx.query('SELECT 1');
        }),
      );
      for (const outcome of await Promise.allSettled(struck)) {
        expect(outcome.status).toBe('rejected');
      }
      const asUser = await opened.asUser('u1', async (tx) => (await tx.query('SELECT app_user_id() AS id')).rows);
      expect(asUser).toEqual([{ id: 'u1' }]);
      const { rows } = await opened.system.query('SELECT 1 AS one');
      expect(rows).toEqual([{ one: 1 }]);
    }
    expect(broken.length).toBeGreaterThanOrEqual(5);
  } finally {
    await admin.end();
    await opened.close();
  }
});
