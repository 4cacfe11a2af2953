import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { checkDatabase } from './check-database.ts';

const name = `farebox_check_${process.pid}_${randomBytes(4).toString('hex')}`;
let admin: pg.Client;

beforeAll(async () => {
  admin = new pg.Client({ connectionString: inject('adminUrl') });
  await admin.connect();
  await admin.query(`CREATE ROLE ${name} LOGIN PASSWORD '${name}'`);
});
afterAll(async () => {
  await admin.query(`REVOKE farebox_app, farebox_system FROM ${name}`);
  await admin.query(`DROP ROLE ${name}`);
  await admin.end();
});

function url(): string {
  const changed = new URL(inject('adminUrl'));
  Object.assign(changed, { username: name, password: name });
  return changed.href;
}

test('a user may set Farebox up when the roles are, or can come, under its administration', async () => {
  expect(await checkDatabase(inject('adminUrl'))).toMatchObject({ canMakeRoles: true });
  expect(await checkDatabase(url())).toMatchObject({ user: name, canMakeRoles: false });
  // The roles are there already, made by another user: being able to create roles does not help.
  await admin.query(`ALTER ROLE ${name} CREATEROLE`);
  expect(await checkDatabase(url())).toMatchObject({ canMakeRoles: false });
  await admin.query(`ALTER ROLE ${name} NOCREATEROLE`);
  await admin.query(`GRANT farebox_app, farebox_system TO ${name} WITH ADMIN OPTION`);
  expect(await checkDatabase(url())).toMatchObject({ canMakeRoles: true });
});
