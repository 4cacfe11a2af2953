import { describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '#database/index.ts';
import { startDatabaseGate } from '../../tests/support/database-gate.ts';
import { baseUrl, cookieOf, password, useAccounts } from '../../tests/support/use-accounts.ts';

const accounts = useAccounts();

describe('sessions', () => {
  test('sign in by e-mail or username, sign out, and the cookie is dead', async () => {
    await accounts.signUp('carol');
    expect(await accounts.signIn('carol@example.com', {}, 'wrong password')).toMatchObject({
      status: 401,
      code: 'unauthenticated',
    });
    const byName = await accounts.post('/sign-in/username', { username: 'Carol', password });
    expect(byName.status).toBe(200);
    const headers = { cookie: cookieOf(byName.cookies) };
    expect(await accounts.whoIs(headers.cookie)).toMatchObject({ username: 'carol' });
    expect(await accounts.post('/sign-out', {}, { headers })).toMatchObject({ status: 200 });
    expect(await accounts.whoIs(headers.cookie)).toEqual({ kind: 'anonymous' });
  });

  test('an unknown address, an unknown name and a wrong password are refused in the same words', async () => {
    await accounts.signUp('known');
    const refused = [
      await accounts.signIn('known@example.com', {}, 'wrong password'),
      await accounts.signIn('unknown@example.com'),
      await accounts.post('/sign-in/username', { username: 'known', password: 'wrong password' }),
      await accounts.post('/sign-in/username', { username: 'unknown', password }),
    ];
    expect(new Set(refused.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });

  test('no answer holds the token of a session: the cookie alone does', async () => {
    const cookie = await accounts.begin('silent');
    const headers = { cookie };
    const { rows } = await accounts.database.current.system.query<{ id: string; token: string }>(
      `SELECT s.id, s.token FROM sessions s JOIN users u ON u.id = s.owner_id WHERE u.username = 'silent'`,
    );
    const token = rows[0]?.token ?? 'none';
    expect(cookie).toContain(token);
    const answers = [
      await accounts.signIn('silent@example.com'),
      await accounts.post('/sign-in/username', { username: 'silent', password }),
      await accounts.send('GET', '/get-session', { headers }),
      await accounts.send('GET', '/list-sessions', { headers }),
      await accounts.post('/update-user', { name: 'Quiet' }, { headers }),
      await accounts.post(
        '/change-password',
        { currentPassword: password, newPassword: 'another password' },
        { headers },
      ),
    ];
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const bodies = JSON.stringify(answers.map(({ body }) => body));
    expect(bodies).toContain(rows[0]?.id);
    expect(bodies).not.toContain(token);
    expect(bodies).not.toMatch(/"token"/);
  });

  test('a session is ended by its id, by its owner only', async () => {
    const mine = await accounts.begin('owner-of-two');
    const other = cookieOf((await accounts.signIn('owner-of-two@example.com')).cookies);
    const listed = (await accounts.send('GET', '/list-sessions', { headers: { cookie: mine } })).body as unknown as {
      id: string;
    }[];
    const current = (await accounts.send('GET', '/get-session', { headers: { cookie: other } })).body['session'] as {
      id: string;
    };
    expect(listed.map(({ id }) => id)).toContain(current.id);
    const stranger = await accounts.begin('stranger-to-two');
    await accounts.post('/revoke-session', { id: current.id }, { headers: { cookie: stranger } });
    expect(await accounts.whoIs(other)).toMatchObject({ username: 'owner-of-two' });
    await accounts.post('/revoke-session', { id: current.id }, { headers: { cookie: mine } });
    expect(await accounts.whoIs(other)).toEqual({ kind: 'anonymous' });
    expect(await accounts.whoIs(mine)).toMatchObject({ username: 'owner-of-two' });
  });

  test('a changed password ends every other session, whatever the body says', async () => {
    const thief = await accounts.begin('changing');
    const mine = cookieOf((await accounts.signIn('changing@example.com')).cookies);
    const change = { currentPassword: password, newPassword: 'another password' };
    const headers = { cookie: mine };
    expect(
      await accounts.post('/change-password', { ...change, revokeOtherSessions: false }, { headers }),
    ).toMatchObject({
      status: 400,
    });
    const wrong = await accounts.post(
      '/change-password',
      { ...change, currentPassword: 'wrong password' },
      { headers },
    );
    expect(wrong).toMatchObject({ status: 400, body: { fields: [{ path: '/currentPassword' }] } });
    const changed = await accounts.post('/change-password', change, { headers });
    expect(changed).toMatchObject({ status: 200, body: { next: expect.stringContaining('API keys') as string } });
    expect(await accounts.whoIs(thief)).toEqual({ kind: 'anonymous' });
    expect(await accounts.whoIs(cookieOf(changed.cookies))).toMatchObject({ username: 'changing' });
    expect(await accounts.signIn('changing@example.com')).toMatchObject({ status: 401 });
  });

  test('a sign-in with the old password that was under way while it changed leaves no session, however the two interleave', async () => {
    const mine = await accounts.begin('racing');
    const change = (from: string, to: string, cookie: string) =>
      accounts.post('/change-password', { currentPassword: from, newPassword: to }, { headers: { cookie } });
    const gate = await startDatabaseGate(accounts.database.url);
    const behindGate = openDatabase({ url: gate.url, systemConnections: 8, userConnections: 1 });
    onTestFinished(async () => {
      await behindGate.close();
      await gate.close();
    });
    const isInsert = (message: string) => message.includes('insert into "sessions"');
    for (const when of ['before', 'after'] as const) {
      const [old, fresh] = when === 'before' ? [password, 'password two'] : ['password two', 'password three'];
      const held = gate.hold(isInsert, when);
      const late = accounts.signIn('racing@example.com', { on: accounts.open({ database: behindGate }) }, old);
      await held;
      const cookie = cookieOf((await accounts.signIn('racing@example.com', {}, old)).cookies);
      const changed = await change(old, fresh, cookie);
      expect(changed.status).toBe(200);
      gate.deliverLate();
      expect(await late).toMatchObject({ status: 401, code: 'unauthenticated', cookies: [] });
      const { rows } = await accounts.database.current.system.query(
        `SELECT s.id FROM sessions s JOIN users u ON u.id = s.owner_id WHERE u.username = 'racing'`,
      );
      expect(rows).toHaveLength(1);
      expect(await accounts.whoIs(cookieOf(changed.cookies))).toMatchObject({ username: 'racing' });
    }
    expect(await accounts.whoIs(mine)).toEqual({ kind: 'anonymous' });
  });

  test('count only for our own origins, and it is said that the cookie was not counted', async () => {
    const cookie = await accounts.begin('dora');
    const ask = (origin: string) => accounts.current.authenticate(new Headers({ cookie, origin }));
    expect(await ask(baseUrl)).toMatchObject({ username: 'dora' });
    expect(await ask('http://127.0.0.1:4020')).toMatchObject({ username: 'dora' });
    const because = expect.stringMatching(/Origin .* is not this site's \(http:\/\/localhost:4020, /) as string;
    expect(await ask('http://localhost:3000')).toEqual({ kind: 'anonymous', because });
    expect(await ask('null')).toEqual({ kind: 'anonymous', because });
    const forged = await accounts.post('/sign-out', {}, { headers: { cookie, origin: 'https://evil.example' } });
    expect(forged).toMatchObject({ status: 403, code: 'forbidden' });
  });

  test('a forged or foreign cookie is nobody', async () => {
    const cookie = await accounts.begin('emma');
    expect(await accounts.whoIs(cookie.replace(/=.{8}/, '=AAAAAAAA'))).toEqual({ kind: 'anonymous' });
    const other = accounts.open({ secret: 'another-secret-of-the-tests-long-enough' });
    expect(await other.authenticate(new Headers({ cookie }))).toEqual({ kind: 'anonymous' });
  });

  test('the username stays; the other routes of better-auth are closed', async () => {
    const headers = { cookie: await accounts.begin('fixed') };
    expect(await accounts.post('/update-user', { username: 'moved' }, { headers })).toMatchObject({
      status: 400,
      code: 'invalid_input',
    });
    expect(await accounts.whoIs(headers.cookie)).toMatchObject({ username: 'fixed' });
    for (const path of [
      '/sign-in/social',
      '/request-password-reset',
      '/change-email',
      '/delete-user',
      '/link-social',
      '/verify-password',
      '/constructor',
    ]) {
      expect(await accounts.post(path, {}, { headers })).toMatchObject({ status: 404, code: 'not_found' });
    }
    expect(await accounts.send('GET', '/sign-in/email', {})).toMatchObject({ status: 405, code: 'method_not_allowed' });
  });
});

describe('programs and pages', () => {
  test('a program signs up and in without Origin, also with cookies from before; a change under a session says what to send', async () => {
    expect(
      await accounts.post('/sign-up/email', { email: 'bot@example.com', password, username: 'bot' }, { origin: null }),
    ).toMatchObject({
      status: 200,
    });
    const { cookies, status } = await accounts.post(
      '/sign-in/email',
      { email: 'bot@example.com', password },
      { origin: null },
    );
    expect(status).toBe(200);
    const cookie = cookieOf(cookies);
    expect(
      await accounts.post(
        '/sign-in/email',
        { email: 'bot@example.com', password },
        { origin: null, headers: { cookie } },
      ),
    ).toMatchObject({
      status: 200,
    });
    const asNodeFetch = { cookie, 'sec-fetch-mode': 'cors' };
    const again = { email: 'bot@example.com', password };
    expect(await accounts.post('/sign-in/email', again, { origin: null, headers: asNodeFetch })).toMatchObject({
      status: 200,
    });
    const refused = await accounts.post('/sign-out', {}, { origin: null, headers: { cookie } });
    expect(refused).toMatchObject({ status: 403, code: 'forbidden' });
    expect(refused.body['detail']).toMatch(/needs an Origin header of this site \(http:\/\/localhost:4020/);
  });

  test.each([
    ['another origin', { origin: 'https://evil.example' }],
    ['the null origin', { origin: 'null' }],
    ['a page of another site whose browser leaves Origin out', { 'sec-fetch-site': 'cross-site' }],
  ])('nobody is signed up or in from %s', async (_what, headers) => {
    const body = { email: 'victim@example.com', password };
    for (const [path, sent] of [
      ['/sign-up/email', { ...body, username: 'victim' }],
      ['/sign-in/email', body],
      ['/sign-in/username', { username: 'victim', password }],
    ] as const) {
      expect(await accounts.post(path, sent, { origin: null, headers })).toMatchObject({
        status: 403,
        code: 'forbidden',
        cookies: [],
      });
    }
  });
});
