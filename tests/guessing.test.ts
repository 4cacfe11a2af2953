import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAnotherProcess, type AnotherProcess } from './support/another-process.ts';
import { sendRaw, type RawAnswer } from './support/send-raw.ts';
import { useApp } from './support/start-app.ts';

/* Somebody guesses the password of an account from many addresses, at two processes of one Farebox. */
const masterKey = randomBytes(32).toString('hex');
const behindProxy = { TRUSTED_PROXY_HOPS: '1', MASTER_KEY: masterKey };
const app = useApp(behindProxy);
const password = 'correct horse battery';
/** What the address of an account bears of strangers in an hour. */
const BEARS = 25;
let other: AnotherProcess;
let addresses = 0;

beforeAll(async () => {
  const { url } = app.current;
  other = await startAnotherProcess(app.current, { ...behindProxy, PUBLIC_URL: url });
});
afterAll(() => other?.stop());

/** Each attempt comes from a new address, by turns to the one and the other process. */
function signIn(email: string, given: string, headers: Record<string, string> = {}): Promise<RawAnswer> {
  addresses += 1;
  return sendRaw(addresses % 2 === 0 ? app.current.url : other.url, {
    method: 'POST',
    path: '/api/auth/sign-in/email',
    headers: {
      'Content-Type': 'application/json',
      'X-Forwarded-For': `10.1.${addresses >> 8}.${addresses & 255}`,
      ...headers,
    },
    body: JSON.stringify({ email, password: given }),
  });
}

test('guessing from many addresses at two processes ends at one limit per account, and does not shut the owner out', async () => {
  const victim = await app.current.makeCreator('victim');
  const setGuesses = async (count: number): Promise<void> => {
    const { rowCount } = await app.current.database.system.query(
      `UPDATE rate_limits SET points = $1 WHERE key LIKE 'sign-in-strangers%'`,
      [count],
    );
    expect(rowCount).toBeGreaterThan(0);
  };
  const guess = async (): Promise<number> => (await signIn('Victim@Example.com', 'a guess')).status;
  expect([await guess(), await guess()]).toEqual([401, 401]);
  await setGuesses(BEARS - 1);
  expect(await guess()).toBe(401);
  // The control: without the count nothing holds up the next guess, at either process.
  await setGuesses(0);
  expect([await guess(), await guess()]).toEqual([401, 401]);
  await setGuesses(BEARS);

  for (const given of [password, 'another guess']) {
    const refused = await signIn('victim@example.com', given);
    expect(refused.json).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(refused.headers['content-type']).toBe('application/problem+json');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  }
  // At each of the two processes: the owner's browser has signed in before.
  for (let count = 0; count < 2; count += 1) {
    expect((await signIn('victim@example.com', password, { Cookie: victim.cookie })).status).toBe(200);
  }
  // An account that nobody guesses at is open to the same newcomers.
  await app.current.makeCreator('bystander');
  expect((await signIn('bystander@example.com', password)).status).toBe(200);
});
