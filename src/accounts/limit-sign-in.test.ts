import { describe, expect, test } from 'vitest';
import { openLimiter } from '#database/index.ts';
import { password, useAccounts, type Answered } from '../../tests/support/use-accounts.ts';

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
  /** As many wrong guesses by strangers as an account bears, without the work of the passwords. */
  const besiege = async (account: string, count = 50) => {
    const strangers = { name: 'sign-in-strangers', points: 50, seconds: 3600, database: accounts.database.current };
    await Promise.all(Array.from({ length: count }, () => openLimiter(strangers).take(account)));
  };
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

  test('is limited per account over many addresses and processes, by address and name together, and the answer says when to come back', async () => {
    await accounts.signUp('target');
    await besiege('target@example.com', 46);
    const statuses = await statusesOf(
      times(5, (n) =>
        n % 2
          ? guess('Target@example.com', { on: accounts.open() })
          : accounts.post('/sign-in/username', { username: 'target', password: 'wrong password' }),
      ),
    );
    expect(statuses).toEqual([401, 401, 401, 401, 429]);
    const right = await accounts.signIn('target@example.com');
    expect(right).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(Number((right.body['headers'] as Record<string, string>)['Retry-After'])).toBeGreaterThan(0);
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
