import { randomBytes } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { anonymous, newId, Problem, type Caller, type User } from '#kit/index.ts';
import { masterKeyFromText, openVault } from '#vault/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { perform } from '../../tests/support/perform.ts';
import { openToyResources, publishToy } from '../../tests/support/toy-resources.ts';
import { deleteResourceSecret, openResourceSecret, putResourceSecret, type ResourceSecretDeps } from './index.ts';

const database = useTestDatabase();
let resourceId: string;
let alice: User;
let bob: User;
let place: { ownerId: string; resourceId: string };
let deps: ResourceSecretDeps;

beforeAll(async () => {
  const toy = openToyResources(database.current);
  [alice, bob] = [await toy.addUser('alice'), await toy.addUser('bob')];
  resourceId = (await publishToy(toy.deps, alice)).id;
  place = { ownerId: alice.userId, resourceId };
  const masterKey = masterKeyFromText(randomBytes(32).toString('hex'));
  const vault = await openVault({ database: database.current, masterKey, clock: toy.clock });
  deps = { vault };
});

const put = (caller: Caller, input: { id: string; value: string }) =>
  perform(putResourceSecret, [deps, caller, database.current], input);
const drop = (caller: Caller, input: { id: string }) =>
  perform(deleteResourceSecret, [deps, caller, database.current], input);
const code = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof Problem ? error.code : String(error)),
  );

test('the secret of a resource is written, replaced and deleted by its owner, and never answered', async () => {
  expect(await openResourceSecret(deps, place)).toBeNull();
  expect(await put(alice, { id: resourceId, value: 'first-key' })).toEqual({ isSet: true });
  expect(await openResourceSecret(deps, place)).toBe('first-key');
  await put(alice, { id: resourceId, value: 'second-key' });
  expect(await openResourceSecret(deps, place)).toBe('second-key');
  const { rows } = await database.current.system.query('SELECT sealed FROM vault_secrets');
  expect(rows).toHaveLength(1);
  expect((rows[0].sealed as Buffer).includes('second-key')).toBe(false);

  expect(await code(put(bob, { id: resourceId, value: 'x' }))).toBe('not_found');
  expect(await code(drop(bob, { id: resourceId }))).toBe('not_found');
  expect(await code(put(alice, { id: newId(), value: 'x' }))).toBe('not_found');
  expect(await code(put(anonymous, { id: resourceId, value: 'x' }))).toBe('unauthenticated');
  expect(await openResourceSecret(deps, { ...place, ownerId: bob.userId })).toBeNull();

  expect(await drop(alice, { id: resourceId })).toEqual({ isSet: false });
  expect(await openResourceSecret(deps, place)).toBeNull();
  expect(await code(drop(alice, { id: resourceId }))).toBe('not_found');
});

test.each(['', ' ', 'a b', 'a\r\nx-evil: 1', 'k\u0000', 'x'.repeat(4097)])(
  'the secret of a resource cannot be %j',
  (value) => {
    expect(putResourceSecret.input.safeParse({ id: resourceId, value }).success).toBe(false);
  },
);
