import pg from 'pg';
import { beforeEach, expect, test } from 'vitest';
import { beginConnect, decide, follow } from './support/consent.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp();
const path = '/api/user/integrations/openrouter';
let creator: Creator;
let count = 0;

beforeEach(async () => {
  count += 1;
  creator = await app.current.makeCreator(`ada-${count}`, { openRouterKey: null });
});

const isConnected = async (of = creator) => (await of.call('GET', path)).status === 200;
const exchanges = () =>
  app.current.sandbox?.openRouter?.control.requests.filter((request) => request.path.endsWith('/auth/keys')) ?? [];

test('a creator who agrees on the page of OpenRouter has a working key stored like a pasted one, with the cap that they chose', async () => {
  const { consent, callback } = await beginConnect(creator);
  expect(callback.href).toContain(`${app.current.url}/api/integrations/openrouter/callback?state=`);
  const page = await fetch(consent);
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(await page.text()).toMatch(/Approve[\s\S]*Deny|Deny[\s\S]*Approve/);
  const back = await decide(consent, 'approve', '2.50');
  const ended = await follow(back, creator);
  expect(ended).toMatchObject({ status: 303, location: '/connections/openrouter/connected' });
  expect(ended.headers.get('referrer-policy')).toBe('no-referrer');
  expect(ended.page).toContain('OpenRouter is connected');
  const { body } = await creator.call('GET', path);
  expect(body).toMatchObject({ isValid: true, isEnabled: true, limit: '2.5', limitRemaining: '2.5' });
  const { url } = await creator.publish({ slug: 'sold' });
  expect((await fetch(url, { method: 'POST' })).status).toBe(402);
});

test('what was paused for want of a key is sold again once the creator has connected', async () => {
  await creator.call('PUT', path, { apiKey: app.current.sandbox?.openRouter?.keys.healthy });
  const { id, url } = await creator.publish({ slug: 'waits' });
  await creator.call('DELETE', path);
  expect((await creator.call('GET', `/api/resources/${id}`)).body).toMatchObject({ state: 'paused', pausedBy: 'key' });
  await follow(await decide((await beginConnect(creator)).consent, 'approve'), creator);
  expect((await fetch(url, { method: 'POST' })).status).toBe(402);
});

test('a creator who says no keeps what is stored, and nothing is asked for', async () => {
  const before = exchanges().length;
  const ended = await follow(await decide((await beginConnect(creator)).consent, 'deny'), creator);
  expect(ended.location).toBe('/connections/openrouter/denied');
  expect(ended.page).toContain('nothing was changed');
  expect([await isConnected(), exchanges().length]).toEqual([false, before]);
});

test('the way back works once', async () => {
  const back = await decide((await beginConnect(creator)).consent, 'approve');
  await follow(back, creator);
  await creator.call('DELETE', path);
  const again = await follow(back, creator);
  expect(again.location).toBe('/connections/openrouter/ended');
  expect(await isConnected()).toBe(false);
});

test('of many that go the way back at once, one is let in', async () => {
  const before = exchanges().length;
  const back = await decide((await beginConnect(creator)).consent, 'approve');
  const ended = await Promise.all(Array.from({ length: 12 }, () => follow(back, creator)));
  expect(ended.filter(({ location }) => location?.endsWith('/connected'))).toHaveLength(1);
  expect(exchanges().length).toBe(before + 1);
});

test.each([
  ['another account, so that nobody is made to sell on a key of the attacker', 'ended'],
  ['nobody who is signed in', 'signed-out'],
])('the way back of one creator does nothing for %s', async (_who, outcome) => {
  const victim = outcome === 'ended' ? await app.current.makeCreator(`eve-${count}`, { openRouterKey: null }) : null;
  const before = exchanges().length;
  const back = await decide((await beginConnect(creator)).consent, 'approve');
  expect((await follow(back, victim)).location).toBe(`/connections/openrouter/${outcome}`);
  expect(exchanges().length).toBe(before);
  expect(victim === null || !(await isConnected(victim))).toBe(true);
  expect((await follow(back, creator)).location).toBe('/connections/openrouter/connected');
});

test.each([
  ['a state that nobody was given', (back: URL) => back.searchParams.set('state', 'A'.repeat(43)), 'ended'],
  ['no state', (back: URL) => back.searchParams.delete('state'), 'ended'],
  ['a code that is not theirs', (back: URL) => back.searchParams.set('code', 'made-up'), 'refused'],
])('with %s nothing is stored', async (_what, change, outcome) => {
  const back = await decide((await beginConnect(creator)).consent, 'approve');
  change(back);
  expect((await follow(back, creator)).location).toBe(`/connections/openrouter/${outcome}`);
  expect(await isConnected()).toBe(false);
});

test('the code of one connection cannot be redeemed by another: OpenRouter asks for the secret of the one that it was made for', async () => {
  const mine = await decide((await beginConnect(creator)).consent, 'approve');
  const eve = await app.current.makeCreator(`eve-${count}`, { openRouterKey: null });
  const hers = await decide((await beginConnect(eve)).consent, 'approve');
  hers.searchParams.set('code', mine.searchParams.get('code') ?? '');
  expect((await follow(hers, eve)).location).toBe('/connections/openrouter/refused');
  expect(await isConnected(eve)).toBe(false);
});

test('a key that OpenRouter cannot be asked about for a moment is not lost: the code that brought it is used up', async () => {
  const back = await decide((await beginConnect(creator)).consent, 'approve');
  app.current.sandbox?.openRouter?.control.fail('503', { route: 'credits', times: 1 });
  expect((await follow(back, creator)).location).toBe('/connections/openrouter/connected');
});

test('a key that cannot be checked at all is not stored, and its owner is told where it lives on', async () => {
  const back = await decide((await beginConnect(creator)).consent, 'approve');
  app.current.sandbox?.openRouter?.control.fail('503', { route: 'credits', times: 50 });
  const ended = await follow(back, creator);
  app.current.sandbox?.openRouter?.control.clearFaults();
  expect(ended.location).toBe('/connections/openrouter/failed');
  expect(ended.page).toContain('https://openrouter.ai/settings/keys');
  expect(await isConnected()).toBe(false);
});

test('whoever comes back signed out is told to begin again, because the address with the code is gone', async () => {
  const back = await decide((await beginConnect(creator)).consent, 'approve');
  const { page } = await follow(back, null);
  expect(page).toContain('begin again');
  expect(page).not.toContain('open the address');
});

test('the way back is open for ten minutes', async () => {
  const back = await decide((await beginConnect(creator)).consent, 'approve');
  const owner = new pg.Client({ connectionString: app.current.databaseUrl });
  await owner.connect();
  await owner.query(`UPDATE integration_connects SET expires_at = now() - interval '1 second'`);
  await owner.end();
  expect((await follow(back, creator)).location).toBe('/connections/openrouter/ended');
  expect(await isConnected()).toBe(false);
});

test('a browser that only looks ahead uses nothing up', async () => {
  const back = await decide((await beginConnect(creator)).consent, 'approve');
  await follow(back, creator, 'HEAD');
  expect((await follow(back, creator)).location).toBe('/connections/openrouter/connected');
});

test('neither the state nor the secret that belongs to it lies in the database, and no log line holds the code', async () => {
  const { callback, consent } = await beginConnect(creator);
  const { rows } = await app.current.database.system.query('SELECT * FROM integration_connects');
  expect(JSON.stringify(rows)).not.toContain(callback.searchParams.get('state'));
  const back = await decide(consent, 'approve');
  await follow(back, creator);
  expect(app.current.logged.join('')).not.toContain(back.searchParams.get('code'));
  const key = (await creator.call('GET', path)).body;
  expect(JSON.stringify(key)).not.toContain('sk-or-v1');
});

test('an API key cannot begin a connection, and neither can a page of another site', async () => {
  const made = await creator.call('POST', '/api/user/api-keys', { label: 'bot', scopes: ['integrations:write'] });
  const send = (headers: Record<string, string>) =>
    fetch(`${app.current.url}${path}/connect`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: '{}',
    });
  expect((await send({ Authorization: `Bearer ${String(made.body['secret'])}` })).status).toBe(403);
  const foreign = await send({ Cookie: creator.cookie, Origin: 'https://evil.example' });
  expect([401, 403]).toContain(foreign.status);
});
