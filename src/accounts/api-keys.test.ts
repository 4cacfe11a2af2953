import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Problem, scopes as allScopes, type Caller, type User } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { perform } from '../../tests/support/perform.ts';
import { createApiKey } from './create-api-key.ts';
import { getAccount } from './get-account.ts';
import { listApiKeys } from './list-api-keys.ts';
import { openAccounts, type Accounts } from './open-accounts.ts';
import { revokeApiKey } from './revoke-api-key.ts';

const database = useTestDatabase();
const start = Date.parse('2030-01-01T00:00:00Z');
const clock = { at: start, now: () => clock.at };
const DAY_MS = 86_400_000;
let accounts: Accounts;
let counter = 0;

beforeAll(() => {
  accounts = openAccounts({
    database: database.current,
    baseUrl: 'http://localhost:4020',
    secret: 'a-secret-of-the-tests-that-is-long-enough',
    adminEmails: ['root@example.com'],
    trustedOrigins: [],
    clock,
  });
});
beforeEach(() => {
  clock.at = start;
});

async function makeUser(changes: Partial<User> = {}): Promise<User> {
  const username = `user${(counter += 1)}`;
  const email = changes.email ?? `${username}@example.com`;
  const { userId } = await accounts.ensureUser({ email, username, password: 'correct horse battery' });
  const scopes = allScopes.filter((scope) => scope !== 'admin');
  return { kind: 'user', userId, username, email, isAdmin: false, via: 'session', scopes, ...changes };
}

function create(caller: Caller, wanted: object) {
  const input = { label: 'ci', scopes: ['resources:read' as const], ...wanted };
  return perform(createApiKey, [{ clock }, caller, database.current], input);
}
const present = (secret: string) => accounts.authenticate(new Headers({ authorization: `Bearer ${secret}` }));
const list = (caller: Caller, input = {}) => perform(listApiKeys, [{}, caller, database.current], input);
const revoke = (caller: Caller, id: string) =>
  perform(revokeApiKey, [{ clock, forgetKeys: () => accounts.forgetKeys() }, caller, database.current], { id });

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Problem);
  return `${(error as Problem).code}: ${(error as Problem).message}`;
}

describe('a key', () => {
  test('authenticates with its scopes only, and is stored as a hash', async () => {
    const user = await makeUser();
    const made = await create(user, { scopes: ['usage:read', 'resources:read'] });
    expect(made.secret).toMatch(/^fbx_[A-Za-z0-9_-]{43}$/);
    const caller = await present(made.secret);
    expect(caller).toEqual({ ...user, via: 'api_key', scopes: ['resources:read', 'usage:read'] });
    const { rows } = await database.current.system.query('SELECT * FROM api_keys WHERE id = $1', [made.id]);
    expect(JSON.stringify(rows)).not.toContain(made.secret);
    expect(JSON.stringify(await list(user))).not.toContain(made.secret.slice(12));
    expect(await perform(getAccount, [{}, caller, database.current], {})).toMatchObject({
      id: user.userId,
      via: 'api_key',
    });
  });

  test('is refused when unknown, malformed, expired or revoked, never taken for nobody', async () => {
    const user = await makeUser();
    const made = await create(user, { expiresInDays: 1 });
    expect(await refusal(present(`fbx_${'A'.repeat(43)}`))).toBe('unauthenticated: This API key is not known here.');
    expect(await refusal(present('fbx_short'))).toBe('unauthenticated: This API key is not known here.');
    expect(await refusal(present('sk-or-v1-abc'))).toBe('unauthenticated: This API key is not known here.');
    expect(await refusal(present(`${made.secret} `.repeat(2)))).toBe(
      'unauthenticated: The Authorization header cannot be read.',
    );
    expect(await refusal(accounts.authenticate(new Headers({ authorization: made.secret })))).toContain(
      'unauthenticated',
    );
    clock.at = start + DAY_MS - 1;
    expect(await present(made.secret)).toMatchObject({ kind: 'user' });
    clock.at = start + DAY_MS;
    expect(await refusal(present(made.secret))).toBe(
      'unauthenticated: This API key expired at 2030-01-02T00:00:00.000Z.',
    );
    clock.at = start;
    await revoke(user, made.id);
    expect(await refusal(present(made.secret))).toBe('unauthenticated: This API key was revoked.');
  });

  test('other schemes of Authorization are not ours', async () => {
    expect(await accounts.authenticate(new Headers({ authorization: 'Payment abc' }))).toEqual({ kind: 'anonymous' });
    expect(await accounts.authenticate(new Headers())).toEqual({ kind: 'anonymous' });
  });

  test('is refused even beside a good session', async () => {
    const headers = new Headers({ authorization: 'Bearer fbx_nope', cookie: 'farebox.session_token=x' });
    expect(await refusal(accounts.authenticate(headers))).toContain('unauthenticated');
  });

  test('notes its last use at most once a minute', async () => {
    const user = await makeUser();
    const { secret } = await create(user, {});
    const lastUsed = async () => (await list(user)).items[0]?.lastUsedAt;
    await present(secret);
    expect(await lastUsed()).toBe('2030-01-01T00:00:00.000Z');
    clock.at = start + 59_999;
    await present(secret);
    expect(await lastUsed()).toBe('2030-01-01T00:00:00.000Z');
    clock.at = start + 60_000;
    await present(secret);
    expect(await lastUsed()).toBe('2030-01-01T00:01:00.000Z');
  });
});

describe('rights', () => {
  test('a key never gets more than its maker has', async () => {
    const user = await makeUser();
    expect(await refusal(create(user, { scopes: ['admin'] }))).toMatch(/^forbidden: .*admin/);
    expect(
      await refusal(create({ ...user, scopes: ['usage:read'] }, { scopes: ['usage:read', 'resources:write'] })),
    ).toMatch(/^forbidden: .*resources:write/);
    expect(createApiKey.input.safeParse({ label: 'x', scopes: ['everything'] }).success).toBe(false);
  });

  test('an admin key works while its owner is an administrator', async () => {
    const root = await makeUser({ email: 'root@example.com', isAdmin: true, scopes: allScopes });
    const { secret } = await create(root, { scopes: ['admin'] });
    expect(await present(secret)).toMatchObject({ isAdmin: true, scopes: ['admin'] });
    const demoted = openAccounts({
      database: database.current,
      baseUrl: 'http://localhost:4020',
      secret: 'a-secret-of-the-tests-that-is-long-enough',
      adminEmails: [],
      trustedOrigins: [],
      clock,
    });
    expect(await demoted.authenticate(new Headers({ authorization: `Bearer ${secret}` }))).toMatchObject({
      isAdmin: false,
      scopes: [],
    });
  });

  test('only a session makes and revokes keys', () => {
    expect([createApiKey.scope, revokeApiKey.scope]).toEqual(['session', 'session']);
  });

  test('nobody sees or revokes the key of another', async () => {
    const [one, two] = [await makeUser(), await makeUser()];
    const made = await create(one, {});
    expect((await list(two)).items).toEqual([]);
    expect(await refusal(revoke(two, made.id))).toContain('not_found');
    expect(await present(made.secret)).toMatchObject({ userId: one.userId });
    for (const work of [create({ kind: 'anonymous' }, {}), list({ kind: 'anonymous' })]) {
      expect(await refusal(work)).toContain('unauthenticated');
    }
  });
});

test('at most 20 live keys, also when created at once; revoking makes room', async () => {
  const user = await makeUser();
  const made = await Promise.allSettled(Array.from({ length: 24 }, () => create(user, { expiresInDays: null })));
  expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(20);
  expect(await refusal(create(user, {}))).toMatch(/^conflict: You already have 20/);
  const first = await list(user, { limit: '12' });
  const second = await list(user, { limit: 12, cursor: first.nextCursor });
  expect([first.items.length, second.items.length, second.nextCursor]).toEqual([12, 8, null]);
  await revoke(user, first.items[0]?.id ?? '');
  expect(await create(user, {})).toMatchObject({ revokedAt: null });
});
