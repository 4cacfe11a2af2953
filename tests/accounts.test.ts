import { expect, test } from 'vitest';
import { makeKey } from './support/bad-request-world.ts';
import { readTables } from './support/read-tables.ts';
import { sendRaw, type RawAnswer } from './support/send-raw.ts';
import { useApp } from './support/start-app.ts';

const app = useApp();
const password = 'correct horse battery';

function postAuth(path: string, body: object, headers: Record<string, string> = {}): Promise<RawAnswer> {
  const json = { 'Content-Type': 'application/json', Origin: app.current.url };
  const request = { method: 'POST', path: `/api/auth/${path}`, headers: { ...json, ...headers } };
  return sendRaw(app.current.url, { ...request, body: JSON.stringify(body) });
}

const signUp = (username: unknown, more: object = {}): Promise<RawAnswer> =>
  postAuth('sign-up/email', {
    email: `${String(username).toLowerCase()}@example.com`,
    password,
    name: 'N',
    username,
    ...more,
  });

function toCookie({ headers }: RawAnswer): string {
  return [headers['set-cookie'] ?? []]
    .flat()
    .map((line) => line.split(';')[0])
    .join('; ');
}

test('whoever signs up is signed in, by a cookie that scripts and other sites cannot use', async () => {
  const answer = await signUp('Ada-L');
  expect(answer.status).toBe(200);
  expect(String(answer.headers['set-cookie'])).toMatch(/HttpOnly; SameSite=Lax/i);
  const who = await sendRaw(app.current.url, { path: '/api/user', headers: { Cookie: toCookie(answer) } });
  expect(who.json).toMatchObject({ username: 'ada-l', email: 'ada-l@example.com', isAdmin: false, via: 'session' });
  expect(answer.text).not.toContain(password);
});

test('a username is unique and reads well in a URL', async () => {
  expect((await signUp('grace')).status).toBe(200);
  const refused = [
    'ab',
    'a'.repeat(31),
    'api',
    'ada_l',
    'a--b',
    '-ada',
    'ada-',
    'аda',
    'a b',
    'a/b',
    '@ada',
    undefined,
    7,
    'Grace',
  ];
  const statuses = [];
  for (const username of refused) {
    const { status, json } = await signUp(username, { email: `x${statuses.length}@example.com` });
    statuses.push([username, status >= 400 && status < 500, typeof json['message']]);
  }
  expect(statuses).toEqual(refused.map((username) => [username, true, 'string']));
});

test('signing in needs the right password, signing out ends the session', async () => {
  await signUp('linus');
  const wrong = await postAuth('sign-in/email', { email: 'linus@example.com', password: 'another horse' });
  const unknown = await postAuth('sign-in/email', { email: 'nobody@example.com', password });
  expect([wrong.status, unknown.status]).toEqual([401, 401]);
  expect(unknown.text).toBe(wrong.text);
  const right = await postAuth('sign-in/email', { email: 'linus@example.com', password });
  const Cookie = toCookie(right);
  const ask = () => sendRaw(app.current.url, { path: '/api/user', headers: { Cookie } });
  expect((await ask()).status).toBe(200);
  expect((await postAuth('sign-out', {}, { Cookie })).status).toBe(200);
  expect((await ask()).status).toBe(401);
  expect((await sendRaw(app.current.url, { path: '/api/user', headers: { Cookie: Cookie.slice(0, -4) } })).status).toBe(
    401,
  );
});

test('an API key is shown once, kept as a hash, and dead at once when revoked', async () => {
  const bob = await app.current.makeCreator('bob');
  const { id, secret } = await makeKey(bob, ['resources:read']);
  const ask = () => sendRaw(app.current.url, { path: '/api/user', headers: { Authorization: `Bearer ${secret}` } });
  expect((await ask()).json).toMatchObject({ username: 'bob', via: 'api_key', scopes: ['resources:read'] });
  const listed = await bob.call('GET', '/api/user/api-keys');
  expect(listed.body['items']).toMatchObject([{ id, prefix: secret.slice(0, 10), scopes: ['resources:read'] }]);
  expect(JSON.stringify(listed.body)).not.toContain(secret.slice(10));
  expect(JSON.stringify([...(await readTables(app.current.databaseUrl))])).not.toContain(secret.slice(10));
  expect((await bob.call('DELETE', `/api/user/api-keys/${id}`)).status).toBe(200);
  const refused = await ask();
  expect(refused.json).toMatchObject({ status: 401, detail: 'This API key was revoked.' });
  expect(refused.headers['www-authenticate']).toContain('Bearer');
});

test('an API key ends at its expiry, and a user has at most twenty live ones', async () => {
  const cleo = await app.current.makeCreator('cleo');
  const made = await cleo.call('POST', '/api/user/api-keys', {
    label: 'short',
    scopes: ['usage:read'],
    expiresInDays: 1,
  });
  expect(Date.parse(String(made.body['expiresAt'])) - Date.parse(String(made.body['createdAt']))).toBe(86_400_000);
  for (let count = 1; count < 20; count += 1) {
    await makeKey(cleo, ['usage:read']);
  }
  const refused = await cleo.call('POST', '/api/user/api-keys', { label: 'one more', scopes: ['usage:read'] });
  expect(refused.body).toMatchObject({
    status: 409,
    code: 'conflict',
    next: expect.stringContaining('Revoke') as string,
  });
});
