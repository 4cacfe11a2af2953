import { beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { openAccounts, type Accounts } from './open-accounts.ts';

const database = useTestDatabase();
const baseUrl = 'http://localhost:4020';
const password = 'correct horse battery';
let accounts: Accounts;
let peers = 0;

function open(changes: Partial<Parameters<typeof openAccounts>[0]> = {}): Accounts {
  return openAccounts({
    database: database.current,
    baseUrl,
    secret: 'a-secret-of-the-tests-that-is-long-enough',
    adminEmails: ['Boss@Example.com'],
    trustedOrigins: ['http://127.0.0.1:4020'],
    clock: systemClock,
    ...changes,
  });
}

beforeAll(() => {
  accounts = open();
});

interface Sent {
  clientAddress?: string;
  headers?: Record<string, string>;
  on?: Accounts;
}

/** Each request comes from a fresh address unless told, so that rate limits do not mix the tests. */
async function post(path: string, body: unknown, sent: Sent = {}) {
  const request = new Request(`${baseUrl}/api/auth${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: baseUrl, ...sent.headers },
    body: JSON.stringify(body),
  });
  const clientAddress = sent.clientAddress ?? `10.0.${(peers += 1) >> 8}.${peers & 255}`;
  const response = await (sent.on ?? accounts).handler(request, { clientAddress });
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  return { status: response.status, code: answer['code'], cookies: response.headers.getSetCookie() };
}

const signUp = (username: unknown, email = `${String(username)}@example.com`, sent?: Sent) =>
  post('/sign-up/email', { email, password, username }, sent);

const cookieOf = (cookies: string[]) => cookies.map((cookie) => cookie.split(';')[0]).join('; ');

describe('signing up', () => {
  test('makes a user, a session cookie and a caller', async () => {
    const { status, cookies } = await signUp('Alice-1', 'Alice@Example.com');
    expect(status).toBe(200);
    expect(cookies[0]).toMatch(/^farebox\.session_token=.*; Path=\/; HttpOnly; SameSite=Lax$/);
    const caller = await accounts.authenticate(new Headers({ cookie: cookieOf(cookies) }));
    expect(caller).toMatchObject({
      kind: 'user',
      username: 'alice-1',
      email: 'alice@example.com',
      isAdmin: false,
      via: 'session',
    });
    expect(caller.kind === 'user' && caller.scopes.includes('admin')).toBe(false);
  });

  test('makes the cookie secure on https', async () => {
    const secure = open({ baseUrl: 'https://farebox.test', trustedOrigins: [] });
    const request = new Request('https://farebox.test/api/auth/sign-up/email', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'tls@example.com', password, username: 'tls' }),
    });
    const response = await secure.handler(request, { clientAddress: '10.1.0.1' });
    expect(response.headers.getSetCookie()[0]).toMatch(/^__Secure-farebox\.session_token=.*Secure/);
  });

  test.each([
    ['ab', 'USERNAME_TOO_SHORT'],
    ['a'.repeat(31), 'USERNAME_TOO_LONG'],
    ['-abc', 'INVALID_USERNAME'],
    ['abc-', 'INVALID_USERNAME'],
    ['a--b', 'INVALID_USERNAME'],
    ['a_bc', 'INVALID_USERNAME'],
    ['a/bc', 'INVALID_USERNAME'],
    ['ünsal', 'INVALID_USERNAME'],
    ['abc\n', 'INVALID_USERNAME'],
    ['api', 'INVALID_USERNAME'],
    ['ADMIN', 'INVALID_USERNAME'],
    ['well-known', 'INVALID_USERNAME'],
    ['farebox', 'INVALID_USERNAME'],
    ['', 'USERNAME_TOO_SHORT'],
    [undefined, 'USERNAME_REQUIRED'],
    [null, 'USERNAME_REQUIRED'],
    [['array'], 'USERNAME_REQUIRED'],
    [{ a: 1 }, 'USERNAME_REQUIRED'],
  ])('refuses the username %j', async (username, code) => {
    const before = await database.current.system.query('SELECT count(*) FROM users');
    expect(await signUp(username, 'somebody@example.com')).toMatchObject({ status: 400, code });
    const after = await database.current.system.query('SELECT count(*) FROM users');
    expect(after.rows).toEqual(before.rows);
  });

  test('refuses a short password and a long name', async () => {
    const weak = { email: 'weak@example.com', username: 'weak', password: 'nine-char' };
    expect(await post('/sign-up/email', weak)).toMatchObject({ status: 400, code: 'PASSWORD_TOO_SHORT' });
    const long = { ...weak, password, name: 'n'.repeat(101) };
    expect(await post('/sign-up/email', long)).toMatchObject({ status: 400, code: 'TOO_LONG' });
  });

  test('gives a username to one of many at once, and leaves no half-made user', async () => {
    const all = await Promise.all(Array.from({ length: 12 }, (_, n) => signUp('racer', `racer${n}@example.com`)));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
    const refused = all.filter(({ status }) => status !== 200);
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['USERNAME_IS_ALREADY_TAKEN']));
    const { rows } = await database.current.system.query(
      `SELECT count(*)::int AS users, count(a.id)::int AS credentials
         FROM users u LEFT JOIN auth_accounts a ON a.owner_id = u.id WHERE u.email LIKE 'racer%'`,
    );
    expect(rows).toEqual([{ users: 1, credentials: 1 }]);
  });

  test('cannot set what belongs to the server', async () => {
    await post('/sign-up/email', {
      email: 'mass@example.com',
      password,
      username: 'mass',
      id: 'x',
      emailVerified: true,
    });
    const { rows } = await database.current.system.query(
      `SELECT id = 'x' AS forged, email_verified FROM users WHERE username = 'mass'`,
    );
    expect(rows).toEqual([{ forged: false, email_verified: false }]);
  });
});

describe('sessions', () => {
  test('sign in by e-mail or username, sign out, and the cookie is dead', async () => {
    await signUp('carol');
    expect(await post('/sign-in/email', { email: 'carol@example.com', password: 'wrong password' })).toMatchObject({
      status: 401,
      code: 'INVALID_EMAIL_OR_PASSWORD',
    });
    const byName = await post('/sign-in/username', { username: 'Carol', password });
    expect(byName.status).toBe(200);
    const headers = { cookie: cookieOf(byName.cookies) };
    expect(await accounts.authenticate(new Headers(headers))).toMatchObject({ username: 'carol' });
    expect(await post('/sign-out', {}, { headers })).toMatchObject({ status: 200 });
    expect(await accounts.authenticate(new Headers(headers))).toEqual({ kind: 'anonymous' });
  });

  test('counts only for our own origins', async () => {
    const { cookies } = await signUp('dora');
    const cookie = cookieOf(cookies);
    const ask = (origin: string) => accounts.authenticate(new Headers({ cookie, origin }));
    expect(await ask(baseUrl)).toMatchObject({ username: 'dora' });
    expect(await ask('http://127.0.0.1:4020')).toMatchObject({ username: 'dora' });
    expect(await ask('http://localhost:3000')).toEqual({ kind: 'anonymous' });
    expect(await ask('null')).toEqual({ kind: 'anonymous' });
    const forged = await post('/sign-out', {}, { headers: { cookie, origin: 'https://evil.example' } });
    expect(forged).toMatchObject({ status: 403, code: 'INVALID_ORIGIN' });
  });

  test('a forged or foreign cookie is nobody', async () => {
    const { cookies } = await signUp('emma');
    const cookie = cookieOf(cookies);
    expect(await accounts.authenticate(new Headers({ cookie: cookie.replace(/=.{8}/, '=AAAAAAAA') }))).toEqual({
      kind: 'anonymous',
    });
    const other = open({ secret: 'another-secret-of-the-tests-long-enough' });
    expect(await other.authenticate(new Headers({ cookie }))).toEqual({ kind: 'anonymous' });
  });

  test('the username stays; the other routes of better-auth are closed', async () => {
    const { cookies } = await signUp('fixed');
    const headers = { cookie: cookieOf(cookies) };
    expect(await post('/update-user', { username: 'moved' }, { headers })).toMatchObject({
      status: 400,
      code: 'USERNAME_IS_IMMUTABLE',
    });
    for (const path of [
      '/sign-in/social',
      '/request-password-reset',
      '/change-email',
      '/delete-user',
      '/link-social',
    ]) {
      expect(await post(path, {}, { headers })).toMatchObject({ status: 404 });
    }
  });

  test('guessing is slowed down per address, whatever the headers say, in every process', async () => {
    const guess = (n: number) =>
      post(
        '/sign-in/email',
        { email: 'nobody@example.com', password: 'wrong password' },
        {
          clientAddress: '10.9.9.9',
          headers: { 'x-forwarded-for': `1.2.3.${n}`, 'x-farebox-client-address': `1.2.3.${n}` },
          on: n % 2 ? open() : accounts,
        },
      );
    const statuses: number[] = [];
    for (let n = 0; n < 11; n += 1) {
      statuses.push((await guess(n)).status);
    }
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
  });
});

test('administrators come from ADMIN_EMAILS only', async () => {
  const { cookies } = await signUp('bossy', 'boss@example.com');
  const caller = await accounts.authenticate(new Headers({ cookie: cookieOf(cookies) }));
  expect(caller).toMatchObject({ isAdmin: true, scopes: expect.arrayContaining(['admin']) as unknown });
});

test('ensureUser makes a user once, also when two start together', async () => {
  const wanted = { email: 'demo@farebox.test', username: 'demo', password };
  const made = await Promise.all([accounts.ensureUser(wanted), open().ensureUser(wanted)]);
  expect(made[0].userId).toBe(made[1].userId);
  expect(await accounts.ensureUser(wanted)).toMatchObject({ username: 'demo', userId: made[0].userId });
});
