import { expect, test } from 'vitest';
import { useTestDatabase } from '../../tests/support/test-database.ts';

const database = useTestDatabase();

test('runs as roles that row-level security binds', async () => {
  const { rows } = await database.current.system.query(
    'SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user',
  );
  expect(rows).toEqual([{ current_user: 'farebox_system', rolsuper: false, rolbypassrls: false }]);
});

test('knows the user only inside the transaction', async () => {
  const inside = await database.current.asUser(
    'u1',
    async (tx) => (await tx.query('SELECT current_user AS role, app_user_id() AS id')).rows[0],
  );
  expect(inside).toEqual({ role: 'farebox_app', id: 'u1' });
  const after = await database.current.system.query('SELECT app_user_id() AS id');
  expect(after.rows[0]).toEqual({ id: null });
});

test('rolls back when the work throws', async () => {
  const work = database.current.transaction(async (tx) => {
    await tx.query('CREATE TEMP TABLE doomed (n int)');
    throw new Error('stop');
  });
  await expect(work).rejects.toThrow('stop');
  const { rows } = await database.current.system.query(`SELECT to_regclass('pg_temp.doomed') AS found`);
  expect(rows[0]).toEqual({ found: null });
});
