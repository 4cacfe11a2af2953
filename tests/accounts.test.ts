import { expect, test } from 'vitest';
import { makeKey } from './support/make-key.ts';
import { readTables } from './support/read-tables.ts';
import { sendRaw, type RawAnswer } from './support/send-raw.ts';
import { useApp } from './support/start-app.ts';

const app = useApp();
const password = 'correct horse battery';

/** A header that is empty is left out. */
function postAuth(path: string, body: object, headers: Record<string, string> = {}): Promise<RawAnswer> {
  const json = { 'Content-Type': 'application/json', Origin: app.current.url };
  const sent = Object.entries({ ...json, ...headers }).filter(([, value]) => value !== '');
  const request = { method: 'POST', path: `/api/auth/${path}`, headers: Object.fromEntries(sent) };
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

const signIn = (username: string): Promise<RawAnswer> =>
  postAuth('sign-in/email', { email: `${username.toLowerCase()}@example.com`, password });

test('whoever signs up signs in, by a cookie that scripts and other sites cannot use; no body holds the token', async () => {
  const made = await signUp('Ada-L');
  expect([made.status, made.headers['set-cookie']]).toEqual([200, undefined]);
  const answer = await signIn('Ada-L');
  expect(answer.status).toBe(200);
  expect(String(answer.headers['set-cookie'])).toMatch(/HttpOnly; SameSite=Lax/i);
  const who = await sendRaw(app.current.url, { path: '/api/user', headers: { Cookie: toCookie(answer) } });
  expect(who.json).toMatchObject({ username: 'ada-l', email: 'ada-l@example.com', isAdmin: false, via: 'session' });
  const { rows } = await app.current.database.system.query<{ token: string }>('SELECT token FROM sessions');
  expect(rows.length).toBeGreaterThan(0);
  for (const secret of [password, ...rows.map(({ token }) => token)]) {
    expect(made.text + answer.text).not.toContain(secret);
  }
});

test('a stranger does not learn from a sign-up which addresses have accounts', async () => {
  await signUp('taken-one');
  const [taken, free] = [
    await signUp('prober-1', { email: 'taken-one@example.com' }),
    await signUp('prober-2', { email: 'free-one@example.com' }),
  ];
  const told = ({ status, text, headers }: RawAnswer) => ({
    status,
    text: text.replace('taken-one', 'free-one').replace('prober-1', 'prober-2'),
    headers: Object.keys(headers).sort(),
    length: headers['content-length'],
  });
  expect(told(taken).text).toBe(free.text);
  expect([told(taken).status, told(taken).headers]).toEqual([told(free).status, told(free).headers]);
});

test('a username is unique and reads well in a URL; each refusal is problem+json with the place', async () => {
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
  const told = [];
  for (const username of refused) {
    const { status, json, headers } = await signUp(username, { email: `x${told.length}@example.com` });
    told.push([username, status, headers['content-type'], json['errors']]);
  }
  const fields = [{ path: '/username', message: expect.any(String) as string }];
  expect(told).toEqual(
    refused.map((username) => [username, username === 'Grace' ? 409 : 400, 'application/problem+json', fields]),
  );
});

test('what is wrong with a sign-up is told at once as problem+json, in the words of the rest of the API', async () => {
  const { json, headers } = await signUp('hopper', { password: 'short', emailVerified: true });
  expect(headers['content-type']).toBe('application/problem+json');
  expect(json).toMatchObject({
    status: 400,
    code: 'invalid_input',
    errors: [
      { path: '/password', message: 'must have at least 10 characters' },
      { path: '/emailVerified', message: 'is not a known field' },
    ],
    requestId: headers['x-request-id'],
  });
});

test('programs sign up and in without Origin; what needs one says which', async () => {
  const noOrigin = { Origin: '' };
  const given = { email: 'robot@example.com', password };
  expect((await postAuth('sign-up/email', { ...given, username: 'robot' }, noOrigin)).status).toBe(200);
  const signedIn = await postAuth('sign-in/email', given, noOrigin);
  expect(signedIn.status).toBe(200);
  const Cookie = toCookie(signedIn);
  expect((await postAuth('sign-in/email', given, { ...noOrigin, Cookie })).status).toBe(200);
  const createKey = {
    method: 'POST',
    path: '/api/user/api-keys',
    headers: { Cookie, 'Content-Type': 'application/json' },
    body: JSON.stringify({ label: 'of a program', scopes: ['usage:read'] }),
  };
  for (const refused of [
    await sendRaw(app.current.url, createKey),
    await postAuth('sign-out', {}, { ...noOrigin, Cookie }),
  ]) {
    expect(refused.json).toMatchObject({ status: 403, code: 'forbidden' });
    expect(refused.json['next']).toContain(`Send "Origin: ${app.current.url}"`);
  }
});

test('in the sandbox 127.0.0.1 and localhost are one site; elsewhere it is said that the Origin is not this site’s', async () => {
  const other = app.current.url.replace('localhost', '127.0.0.1');
  const made = { email: 'loopback@example.com', password, username: 'loopback' };
  expect((await postAuth('sign-up/email', made, { Origin: other })).status).toBe(200);
  const Cookie = toCookie(await postAuth('sign-in/email', { email: made.email, password }, { Origin: other }));
  const createKey = (Origin: string) =>
    sendRaw(other, {
      method: 'POST',
      path: '/api/user/api-keys',
      headers: { Cookie, Origin, 'Content-Type': 'application/json' },
      body: JSON.stringify({ label: 'of a page', scopes: ['usage:read'] }),
    });
  expect((await createKey(other)).status).toBe(201);
  const foreign = await createKey('http://localhost:3000');
  expect(foreign.json).toMatchObject({ status: 401, code: 'unauthenticated' });
  expect(foreign.json['detail']).toContain(`Origin header of the request is not this site's (${app.current.url}, `);
});

test('a changed password ends the other sessions; API keys go on and the answer says so', async () => {
  const mira = await app.current.makeCreator('mira');
  const { secret } = await makeKey(mira, ['usage:read']);
  const Cookie = toCookie(await signIn('mira'));
  const changed = await postAuth(
    'change-password',
    { currentPassword: password, newPassword: 'another horse battery' },
    { Cookie },
  );
  expect(changed.json['next']).toMatch(/Every other session has ended\. API keys go on working/);
  expect((await mira.call('GET', '/api/user')).status).toBe(401);
  const ask = (headers: Record<string, string>) => sendRaw(app.current.url, { path: '/api/user', headers });
  expect((await ask({ Cookie: toCookie(changed) })).json).toMatchObject({ username: 'mira' });
  expect((await ask({ Authorization: `Bearer ${secret}` })).json).toMatchObject({ username: 'mira', via: 'api_key' });
});

test('signing in needs the right password, signing out ends the session', async () => {
  await signUp('linus');
  const wrong = await postAuth('sign-in/email', { email: 'linus@example.com', password: 'another horse' });
  const unknown = await postAuth('sign-in/email', { email: 'nobody@example.com', password });
  expect([wrong.status, unknown.status]).toEqual([401, 401]);
  const told = ({ json }: RawAnswer) => ({ ...json, requestId: '' });
  expect(told(unknown)).toEqual(told(wrong));
  // Whoever just tried to sign in is not told to do so.
  expect(wrong.json['title']).toBe('Not signed in');
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
