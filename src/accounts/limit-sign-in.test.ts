import { describe, expect, test } from 'vitest';
import { openLimiter } from '#database/index.ts';
import { cookieOf, password, useAccounts, type Answered } from '../../tests/support/use-accounts.ts';

const accounts = useAccounts();

describe('guessing passwords', () => {
  const guess = (email: string, sent?: Parameters<typeof accounts.signIn>[1]) =>
    accounts.signIn(email, sent, 'wrong password');
  const statusesOf = async (attempts: (() => Promise<Answered>)[]) => {
    const statuses: number[] = [];
    for (const attempt of attempts) {
      statuses.push((await attempt()).status);
    }
    return statuses;
  };
  /** As many wrong guesses by strangers as one identifier bears, without the work of the passwords. */
  const besiege = async (given: string, count = 25) => {
    const identifier = given.includes('@') ? `email:${given}` : `username:${given}`;
    const strangers = { name: 'sign-in-strangers', points: 25, seconds: 3600, database: accounts.database.current };
    await Promise.all(Array.from({ length: count }, () => openLimiter(strangers).take(identifier)));
  };
  const guessName = (username: string) => accounts.post('/sign-in/username', { username, password: 'wrong password' });
  const times = (count: number, attempt: (n: number) => Promise<Answered>) =>
    Array.from({ length: count }, (_, n) => () => attempt(n));

  test('is slowed down per address, whatever the headers say, in every process', async () => {
    const attempt = (n: number) =>
      guess(`nobody-${n}@example.com`, {
        clientAddress: '10.9.9.9',
        headers: { 'x-forwarded-for': `1.2.3.${n}`, 'x-farebox-client-address': `1.2.3.${n}` },
        on: n % 2 ? accounts.open() : accounts.current,
      });
    expect(await statusesOf(times(2, attempt))).toEqual([401, 401]);
    // As if 16 more had been made meanwhile.
    await accounts.database.current.system.query(
      `UPDATE auth_rate_limits SET count = count + 16 WHERE key LIKE '10.9.9.9%'`,
    );
    expect(await statusesOf(times(3, attempt))).toEqual([401, 401, 429]);
  });

  test('is limited per address of an account over many clients and processes, and the answer says when to come back', async () => {
    await accounts.signUp('target');
    await besiege('target@example.com', 21);
    const statuses = await statusesOf(
      times(5, (n) => guess('Target@example.com', n % 2 ? { on: accounts.open() } : {})),
    );
    expect(statuses).toEqual([401, 401, 401, 401, 429]);
    const right = await accounts.signIn('target@example.com');
    expect(right).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(Number((right.body['headers'] as Record<string, string>)['Retry-After'])).toBeGreaterThan(0);
  });

  test('attempts at an address change nothing for the names of accounts, and the other way round', async () => {
    await Promise.all([accounts.signUp('has-the-address'), accounts.signUp('has-another')]);
    await besiege('has-the-address@example.com');
    expect(await guess('has-the-address@example.com')).toMatchObject({ status: 429 });
    expect(await statusesOf(['has-the-address', 'has-another'].map((name) => () => guessName(name)))).toEqual([
      401, 401,
    ]);
    await besiege('has-another', 23);
    expect(await statusesOf(times(2, () => guessName('has-another')))).toEqual([401, 429]);
    expect(await guess('has-another@example.com')).toMatchObject({ status: 401 });
  });

  test('a client with an IPv6 network of its own is one client, whichever of its addresses it guesses from', async () => {
    const statuses = await statusesOf(
      times(11, (n) => guess('of-a-network@example.com', { clientAddress: `2001:db8:7:7::${n + 1}` })),
    );
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
    expect(await guess('of-a-network@example.com', { clientAddress: '2001:db8:7:8::1' })).toMatchObject({
      status: 401,
    });
  });

  test('is limited for an account that does not exist as well, so that the limit tells nothing', async () => {
    await besiege('never-there@example.com');
    expect(await guess('never-there@example.com', {})).toMatchObject({ status: 429 });
  });

  test('strangers who guess do not shut the owner out: a client that has signed in before has limits of its own', async () => {
    const cookie = await accounts.begin('besieged');
    await besiege('besieged@example.com');
    expect(await accounts.signIn('besieged@example.com')).toMatchObject({ status: 429 });
    const owner = await accounts.signIn('besieged@example.com', { headers: { cookie } });
    expect(owner).toMatchObject({ status: 200 });
    expect(
      await accounts.post('/sign-in/username', { username: 'besieged', password }, { headers: { cookie } }),
    ).toMatchObject({
      status: 200,
    });
  });

  test('the cookie of a known client is of one account, cannot be forged and is limited itself', async () => {
    const cookie = await accounts.begin('known-here');
    await accounts.signUp('elsewhere');
    await besiege('elsewhere@example.com');
    expect(await accounts.signIn('elsewhere@example.com', { headers: { cookie } })).toMatchObject({ status: 429 });
    const forged = cookie.replace(/(known_client=.{22}\.).{4}/, '$1AAAA');
    expect(await accounts.signIn('elsewhere@example.com', { headers: { cookie: forged } })).toMatchObject({
      status: 429,
    });
    const statuses = await statusesOf(times(11, () => guess('known-here@example.com', { headers: { cookie } })));
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
  });

  test('a client stays one client: each sign-in gives it the same cookie again', async () => {
    const cookie = await accounts.begin('steady');
    const known = /farebox\.known_client=[^;]+/.exec(cookie)?.[0] ?? 'none';
    const again = await accounts.signIn('steady@example.com', { headers: { cookie: known } });
    expect(cookieOf(again.cookies)).toContain(known);
    // Without it a sign-in is of another client.
    expect(cookieOf((await accounts.signIn('steady@example.com')).cookies)).not.toContain(known);
  });

  test('a changed password makes known clients strangers, but for the one that changed it', async () => {
    const [thief, mine] = [await accounts.begin('recovered'), await accounts.begin('recovered')];
    const changed = await accounts.post(
      '/change-password',
      { currentPassword: password, newPassword: 'another password' },
      { headers: { cookie: mine } },
    );
    expect(changed.status).toBe(200);
    await besiege('recovered@example.com');
    const ask = (cookie: string) =>
      accounts.signIn('recovered@example.com', { headers: { cookie } }, 'another password');
    expect(await statusesOf([thief, mine].map((cookie) => () => ask(cookie)))).toEqual([429, 429]);
    expect(await ask(cookieOf(changed.cookies))).toMatchObject({ status: 200 });
  });

  test('a sign-in that succeeds does not count', async () => {
    await accounts.begin('frequent');
    const statuses = await statusesOf(
      times(12, () => accounts.signIn('frequent@example.com', { clientAddress: '10.8.0.1' })),
    );
    expect(statuses).toEqual(Array<number>(12).fill(200));
  });

  test('a session does not help to guess the password behind it, and holds up no other session', async () => {
    const [thief, owner] = [await accounts.begin('robbed'), await accounts.begin('robbed')];
    const change = (cookie: string, currentPassword: string) =>
      accounts.post('/change-password', { currentPassword, newPassword: 'another password' }, { headers: { cookie } });
    const statuses = await statusesOf(times(11, () => change(thief, 'wrong password')));
    expect(statuses).toEqual([...Array<number>(10).fill(400), 429]);
    expect(await change(owner, password)).toMatchObject({ status: 200 });
  });
});
