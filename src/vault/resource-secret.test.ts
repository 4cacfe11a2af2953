import { randomBytes } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { newId, Problem, scopes, systemClock, type User } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import {
  deleteResourceSecret,
  masterKeyFromText,
  openResourceSecret,
  openVault,
  putResourceSecret,
  type ResourceSecretDeps,
} from './index.ts';

const database = useTestDatabase();
const resourceId = newId();
const toUser = (userId: string): User => ({
  kind: 'user',
  userId,
  username: userId,
  email: '',
  isAdmin: false,
  via: 'session',
  scopes,
});
const [alice, bob] = [toUser('alice'), toUser('bob')];
const place = { ownerId: 'alice', resourceId, field: 'upstream_api_key' };
let deps: ResourceSecretDeps;

beforeAll(async () => {
  await database.current.system.query(
    `INSERT INTO users (id, name, email, username) SELECT u, u, u || '@example.com', u FROM unnest($1::text[]) AS u`,
    [['alice', 'bob']],
  );
  const masterKey = masterKeyFromText(randomBytes(32).toString('hex'));
  deps = {
    vault: await openVault({ database: database.current, masterKey, clock: systemClock }),
    ownsResource: async (ownerId, id) => ownerId === 'alice' && id === resourceId,
  };
});

const code = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof Problem ? error.code : String(error)),
  );

test('is written, replaced and deleted by the owner of the resource, and never answered', async () => {
  expect(await openResourceSecret(deps, place)).toBeNull();
  expect(await putResourceSecret.run(deps, alice, { id: resourceId, value: 'first-key' })).toEqual({ isSet: true });
  expect(await openResourceSecret(deps, place)).toBe('first-key');
  await putResourceSecret.run(deps, alice, { id: resourceId, value: 'second-key' });
  expect(await openResourceSecret(deps, place)).toBe('second-key');
  const { rows } = await database.current.system.query('SELECT sealed FROM vault_secrets');
  expect(rows).toHaveLength(1);
  expect((rows[0].sealed as Buffer).includes('second-key')).toBe(false);

  expect(await code(putResourceSecret.run(deps, bob, { id: resourceId, value: 'x' }))).toBe('not_found');
  expect(await code(deleteResourceSecret.run(deps, bob, { id: resourceId }))).toBe('not_found');
  expect(await code(putResourceSecret.run(deps, alice, { id: newId(), value: 'x' }))).toBe('not_found');
  expect(await code(putResourceSecret.run(deps, { kind: 'anonymous' }, { id: resourceId, value: 'x' }))).toBe(
    'unauthenticated',
  );
  expect(await openResourceSecret(deps, { ...place, ownerId: 'bob' })).toBeNull();

  expect(await deleteResourceSecret.run(deps, alice, { id: resourceId })).toEqual({ isSet: false });
  expect(await openResourceSecret(deps, place)).toBeNull();
  expect(await code(deleteResourceSecret.run(deps, alice, { id: resourceId }))).toBe('not_found');
});

test.each(['', ' ', 'a b', 'a\r\nx-evil: 1', 'k\u0000', 'x'.repeat(4097)])('refuses the value %j', (value) => {
  expect(putResourceSecret.input.safeParse({ id: resourceId, value }).success).toBe(false);
});
