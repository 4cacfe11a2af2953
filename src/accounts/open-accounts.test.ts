import { describe, expect, test, vi } from 'vitest';
import { cookieOf, password, useAccounts } from '../../tests/support/use-accounts.ts';

/** How long sign-ups would have waited. */
const waits = vi.hoisted((): number[] => []);
vi.mock('node:timers/promises', () => ({ setTimeout: async (ms: number) => void waits.push(ms) }));

const accounts = useAccounts();

describe('signing up', () => {
  test('makes a user, who signs in by a cookie that scripts and other sites cannot use', async () => {
    expect(await accounts.signUp('Alice-1', 'Alice@Example.com')).toMatchObject({ status: 200, cookies: [] });
    const { cookies } = await accounts.signIn('alice@EXAMPLE.com');
    expect(cookies[0]).toMatch(/^farebox\.session_token=.*; Path=\/; HttpOnly; SameSite=Lax$/);
    const caller = await accounts.whoIs(cookieOf(cookies));
    expect(caller).toMatchObject({
      kind: 'user',
      username: 'alice-1',
      email: 'alice@example.com',
      isAdmin: false,
      via: 'session',
    });
    expect(caller.kind === 'user' && caller.scopes.includes('admin')).toBe(false);
  });

  test('a taken address is answered as a free one is: status, words, members and cookies', async () => {
    const first = await accounts.signUp('Holder', 'Taken@example.com');
    const taken = await accounts.signUp('Stranger', 'taken@Example.com');
    const free = await accounts.signUp('Newcomer', 'free@example.com');
    expect(first.status).toBe(200);
    const asFree = JSON.stringify(taken).replaceAll('taken@', 'free@').replaceAll('stranger', 'newcomer');
    expect(asFree).toBe(JSON.stringify(free));
    expect(await accounts.signIn('taken@example.com')).toMatchObject({
      status: 200,
      body: { user: { username: 'holder' } },
    });
    expect(await accounts.post('/is-username-available', { username: 'stranger' })).toMatchObject({
      body: { available: true },
    });
  });

  test('the answer of a sign-up leaves on a step of time, whether it made an account or not', async () => {
    for (const name of ['step-free', 'step-taken']) {
      waits.length = 0;
      await accounts.signUp(name, 'step@example.com');
      expect(waits).toEqual([expect.any(Number)]);
      expect(waits[0]).toBeGreaterThan(0);
      expect(waits[0]).toBeLessThanOrEqual(250);
    }
  });

  test('of sign-ups at once with one address each is answered alike, and one is made', async () => {
    const all = await Promise.all(
      Array.from({ length: 6 }, (_, n) => accounts.signUp(`at-once-${n}`, 'at-once@example.com')),
    );
    expect(all.map(({ status, code }) => [status, code])).toEqual(all.map(() => [200, undefined]));
    const { rows } = await accounts.database.current.system.query(
      `SELECT count(*)::int AS made FROM users WHERE email = 'at-once@example.com'`,
    );
    expect(rows).toEqual([{ made: 1 }]);
  });

  test('signing up again does not change the password of the account', async () => {
    await accounts.signUp('keeper');
    const again = { email: 'keeper@example.com', username: 'thief', password: 'another password' };
    expect(await accounts.post('/sign-up/email', again)).toMatchObject({ status: 200 });
    expect(await accounts.signIn('keeper@example.com', {}, 'another password')).toMatchObject({ status: 401 });
    expect(await accounts.signIn('keeper@example.com')).toMatchObject({ status: 200 });
  });

  test('makes the cookies secure on https', async () => {
    const secure = accounts.open({ baseUrl: 'https://farebox.test', trustedOrigins: [] });
    const sent = { on: secure, headers: { origin: 'https://farebox.test' } };
    await accounts.signUp('tls', 'tls@example.com', sent);
    const { cookies } = await accounts.signIn('tls@example.com', sent);
    expect(cookies[0]).toMatch(/^__Secure-farebox\.session_token=.*Secure/);
    expect(cookies[1]).toMatch(/^farebox\.known_client=.*Secure/);
  });

  test.each([
    ['ab', /3 to 30/],
    ['a'.repeat(31), /3 to 30/],
    ['-abc', /single hyphens/],
    ['abc-', /single hyphens/],
    ['a--b', /single hyphens/],
    ['a_bc', /letters/],
    ['a/bc', /letters/],
    ['ünsal', /letters/],
    ['abc\n', /letters/],
    ['api', /reserved/],
    ['ADMIN', /reserved/],
    ['well-known', /reserved/],
    ['farebox', /reserved/],
    ['', /3 to 30/],
    [undefined, /is missing/],
    [null, /must be text/],
    [['array'], /must be text/],
    [{ a: 1 }, /must be text/],
  ])('refuses the username %j', async (username, message) => {
    const before = await accounts.database.current.system.query('SELECT count(*) FROM users');
    const refused = await accounts.signUp(username, 'somebody@example.com');
    expect(refused).toMatchObject({ status: 400, code: 'invalid_input' });
    expect(refused.body['fields']).toEqual([{ path: '/username', message: expect.stringMatching(message) as string }]);
    const after = await accounts.database.current.system.query('SELECT count(*) FROM users');
    expect(after.rows).toEqual(before.rows);
  });

  test('says everything that is wrong at once, with the places', async () => {
    const refused = await accounts.post('/sign-up/email', {
      email: 'nobody',
      username: 'x',
      password: 'nine-char',
      name: 'n'.repeat(101),
      id: 'x',
      emailVerified: true,
    });
    expect(refused).toMatchObject({ status: 400, code: 'invalid_input' });
    expect(refused.body['fields']).toEqual([
      { path: '/email', message: 'must be an e-mail address' },
      { path: '/password', message: 'must have at least 10 characters' },
      { path: '/username', message: expect.stringMatching(/^must be 3 to 30/) as string },
      { path: '/name', message: 'must have at most 100 characters' },
      { path: '/id', message: 'is not a known field' },
      { path: '/emailVerified', message: 'is not a known field' },
    ]);
  });

  test('gives a username to one of many at once, and leaves no half-made user', async () => {
    const all = await Promise.all(
      Array.from({ length: 12 }, (_, n) => accounts.signUp('racer', `racer${n}@example.com`)),
    );
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
    const refused = all.filter(({ status }) => status !== 200);
    expect(refused.map(({ status, code }) => [status, code])).toEqual(refused.map(() => [409, 'conflict']));
    expect(refused[0]?.body['fields']).toEqual([{ path: '/username', message: 'is taken' }]);
    const { rows } = await accounts.database.current.system.query(
      `SELECT count(*)::int AS users, count(a.id)::int AS credentials
         FROM users u LEFT JOIN auth_accounts a ON a.owner_id = u.id WHERE u.email LIKE 'racer%'`,
    );
    expect(rows).toEqual([{ users: 1, credentials: 1 }]);
  });
});

test('administrators come from ADMIN_EMAILS only', async () => {
  expect(await accounts.whoIs(await accounts.begin('bossy', 'boss@example.com'))).toMatchObject({
    isAdmin: true,
    scopes: expect.arrayContaining(['admin']) as unknown,
  });
});

test('ensureUser makes a user once, also when two start together', async () => {
  const wanted = { email: 'demo@farebox.test', username: 'demo', password };
  const made = await Promise.all([accounts.current.ensureUser(wanted), accounts.open().ensureUser(wanted)]);
  expect(made[0].userId).toBe(made[1].userId);
  expect(await accounts.current.ensureUser(wanted)).toMatchObject({ username: 'demo', userId: made[0].userId });
});
