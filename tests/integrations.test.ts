import { beforeEach, expect, test } from 'vitest';
import { payFor, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp();
const path = '/api/user/integrations/openrouter';
const keys = () => {
  const simulator = app.current.sandbox?.openRouter;
  if (!simulator) {
    throw new Error('These tests need the simulated OpenRouter.');
  }
  return simulator.keys;
};
let creator: Creator;
let count = 0;

beforeEach(async () => {
  count += 1;
  creator = await app.current.makeCreator(`creator-${count}`, { openRouterKey: null });
});

const put = (apiKey: string) => creator.call('PUT', path, { apiKey });
const ask = async (url: string) => (await send(url)).status;

test.each<[string, () => string, RegExp]>([
  ['made up', () => `sk-or-v1-${'0'.repeat(64)}`, /does not accept this key/],
  ['disabled', () => keys().disabled, /refuse|disabled/i],
  ['expired', () => keys().expired, /refuse|expired/i],
])('an OpenRouter key that is %s is refused with the reason, and nothing is stored', async (_, apiKey, reason) => {
  const refused = await put(apiKey());
  expect(refused.body).toMatchObject({ status: 422, code: 'unprocessable' });
  expect(refused.body['detail']).toMatch(reason);
  expect(JSON.stringify(refused.body)).not.toContain(apiKey().slice(14, 60));
  expect((await creator.call('GET', path)).status).toBe(404);
});

const control = () => app.current.sandbox?.openRouter?.control;

test('a key without credits is refused with the place to add some; what credits there are is shown and kept', async () => {
  control()?.setCreditsReadable(keys().empty, true);
  const refused = await put(keys().empty);
  expect(refused.body).toMatchObject({
    status: 422,
    detail: expect.stringMatching(/no credits left\. Add some at https:\/\/openrouter\.ai\/settings\/credits/),
  });
  control()?.setCredits(keys().empty, '3.25');
  expect((await put(keys().empty)).body).toMatchObject({ creditsUsd: '3.25', isValid: true });
  const { rows } = await app.current.database.system.query(
    `SELECT credits_usd, last_credit_check = last_checked_at AS is_checked
     FROM user_openrouter_integrations JOIN users ON users.id = owner_id WHERE username = $1`,
    [creator.username],
  );
  expect(rows).toEqual([{ credits_usd: '3.25', is_checked: true }]);
  control()?.setCredits(keys().empty, '0');
  control()?.setCreditsReadable(keys().empty, false);
});

test('an account that is known to be empty is not back on sale because its credits cannot be asked just now', async () => {
  control()?.setCreditsReadable(keys().nearlyEmpty, true);
  control()?.setCredits(keys().nearlyEmpty, '5');
  await put(keys().nearlyEmpty);
  const { id, url } = await creator.publish({ slug: 'essay' });
  control()?.setCredits(keys().nearlyEmpty, '0');
  expect((await creator.call('POST', `${path}/test`, {})).body).toMatchObject({
    ok: false,
    integration: { creditsUsd: '0' },
  });
  expect(await ask(url)).toBe(503);
  for (const fault of ['500', '429_upstream']) {
    control()?.fail(fault, { route: 'credits' });
    const tested = await creator.call('POST', `${path}/test`, {});
    expect(tested.body).toMatchObject({ ok: false, integration: { isValid: false, creditsUsd: '0' } });
    expect((await creator.call('GET', `/api/resources/${id}`)).body).toMatchObject({ state: 'paused' });
    expect(await ask(url)).toBe(503);
  }
  control()?.clearFaults();
  control()?.setCreditsReadable(keys().nearlyEmpty, false);
  control()?.setLimitRemaining(keys().nearlyEmpty, '0');
  const known = { isValid: false, creditsUsd: '0', limitRemaining: '0' };
  expect((await creator.call('POST', `${path}/test`, {})).body).toMatchObject({ ok: false, integration: known });
  control()?.setCreditsReadable(keys().nearlyEmpty, true);
  control()?.setLimitRemaining(keys().nearlyEmpty, null);
  control()?.setCredits(keys().nearlyEmpty, '5');
  expect((await creator.call('POST', `${path}/test`, {})).body).toMatchObject({ ok: true });
  expect(await ask(url)).toBe(402);
  control()?.setCreditsReadable(keys().nearlyEmpty, false);
});

test('a key that may not read its credits is no worse for it: its own limit tells', async () => {
  expect((await put(keys().limited)).body).toMatchObject({ creditsUsd: null, limitRemaining: '0.05', isValid: true });
  expect((await put(keys().exhausted)).body).toMatchObject({
    status: 422,
    detail: expect.stringMatching(
      /limit of this key is used up\. Raise it at https:\/\/openrouter\.ai\/settings\/keys/,
    ),
  });
});

test('a call that finds the account empty pauses what needs the key, with the place to add credits', async () => {
  expect((await put(keys().nearlyEmpty)).status).toBe(200);
  const { id, url } = await creator.publish({ slug: 'essay' });
  control()?.setCredits(keys().nearlyEmpty, '0');
  const owners = { cookie: creator.cookie, headers: { 'X-Owner-Test': 'true' }, body: { topic: 'thrift' } };
  expect((await send(url, owners)).status).toBe(503);
  expect((await creator.call('GET', `/api/resources/${id}`)).body).toMatchObject({
    state: 'paused',
    pausedBy: 'key',
    pauseCause: expect.stringMatching(/no credits left\. Add some .*openrouter\.ai\/settings\/credits/),
  });
  control()?.setCredits(keys().nearlyEmpty, '5');
  expect((await creator.call('POST', `${path}/test`, {})).body).toMatchObject({ ok: true });
  expect(await ask(url)).toBe(402);
});

test('a bad key does not take the place of a good one', async () => {
  await put(keys().healthy);
  const { url } = await creator.publish({ slug: 'essay' });
  expect((await put(keys().disabled)).status).toBe(422);
  expect((await creator.call('GET', path)).body).toMatchObject({ lastFour: keys().healthy.slice(-4), isValid: true });
  expect(await ask(url)).toBe(402);
});

test('a stored OpenRouter key is described and never returned', async () => {
  const stored = await put(keys().limited);
  const shown = await creator.call('GET', path);
  const tested = await creator.call('POST', `${path}/test`, {});
  expect([stored.status, shown.status, tested.status]).toEqual([200, 200, 200]);
  for (const body of [stored.body, shown.body, tested.body['integration']]) {
    expect(body).toMatchObject({ lastFour: keys().limited.slice(-4), isEnabled: true, isValid: true, limit: '0.05' });
    expect(JSON.stringify(body)).not.toContain(keys().limited.slice(14, -4));
  }
});

test('a call that meets the limit of the key pauses what needs it where the limit is used up, with how to raise it', async () => {
  await put(keys().limited);
  const { id, url } = await creator.publish({ slug: 'essay' });
  const owners = { cookie: creator.cookie, headers: { 'X-Owner-Test': 'true' }, body: { topic: 'thrift' } };
  const read = async () => (await creator.call('GET', `/api/resources/${id}`)).body;
  control()?.setLimitRemaining(keys().limited, '0.000001');
  expect((await send(url, owners)).body['detail']).toMatch(/spending limit of the API key is used up/);
  expect(await read()).toMatchObject({ state: 'published' });
  control()?.setLimitRemaining(keys().limited, '0');
  expect((await send(url, owners)).body['detail']).toMatch(/spending limit of the API key is used up/);
  await expect.poll(read).toMatchObject({
    state: 'paused',
    pausedBy: 'key',
    pauseCause: expect.stringMatching(/Raise it at https:\/\/openrouter\.ai\/settings\/keys/),
  });
  expect((await creator.call('GET', path)).body).toMatchObject({ isValid: false, limitRemaining: '0' });
  control()?.setLimitRemaining(keys().limited, '0.05');
  expect((await creator.call('POST', `${path}/test`, {})).body).toMatchObject({ ok: true });
  expect(await ask(url)).toBe(402);
});

test('deleting a key names what it pauses, takes its offers off at once, and a new key brings them back', async () => {
  await put(keys().healthy);
  const essay = await creator.publish({ slug: 'essay' });
  const mine = await creator.publish({ slug: 'mine' });
  await creator.call('POST', `/api/resources/${mine.id}/pause`, {});
  const affected = await creator.call('GET', `${path}/affected-resources`);
  expect((affected.body['items'] as { slug: string }[]).map(({ slug }) => slug)).toContain('essay');
  expect(await ask(essay.url)).toBe(402);
  const deleted = await creator.call('DELETE', path);
  expect(deleted.body).toMatchObject({ deleted: true, paused: [{ id: essay.id, slug: 'essay', state: 'paused' }] });
  expect(await ask(essay.url)).toBe(503);
  expect((await creator.call('GET', `/api/resources/${essay.id}`)).body).toMatchObject({
    state: 'paused',
    pausedBy: 'key',
  });
  expect((await creator.call('DELETE', path)).status).toBe(404);
  const again = await put(keys().healthy);
  expect(again.body['resumed']).toMatchObject([{ slug: 'essay', state: 'published' }]);
  expect([await ask(essay.url), await ask(mine.url)]).toEqual([402, 503]);
});

test('switching a key off pauses its resources, switching it on resumes them', async () => {
  await put(keys().healthy);
  const { url } = await creator.publish({ slug: 'essay' });
  const off = await creator.call('PATCH', path, { isEnabled: false });
  expect(off.body).toMatchObject({ isEnabled: false, paused: [{ slug: 'essay' }] });
  expect(await ask(url)).toBe(503);
  const on = await creator.call('PATCH', path, { isEnabled: true });
  expect(on.body).toMatchObject({ isEnabled: true, resumed: [{ slug: 'essay' }] });
  expect(await ask(url)).toBe(402);
});

test('a key that OpenRouter no longer accepts is found by its test, pauses its resources, and resumes them when it works again', async () => {
  await put(keys().limited);
  const { url } = await creator.publish({ slug: 'essay' });
  control()?.disableKey(keys().limited);
  const tested = await creator.call('POST', `${path}/test`, {});
  expect(JSON.stringify(tested.body)).toMatch(/disabled|refuse/i);
  expect((await creator.call('GET', path)).body).toMatchObject({ isValid: false });
  expect(await ask(url)).toBe(503);
  control()?.disableKey(keys().limited, false);
  expect((await creator.call('POST', `${path}/test`, {})).body).toMatchObject({ ok: true });
  expect(await ask(url)).toBe(402);
});

test('a key that is dead, empty or at its limit is found without a call, stops its offers before the next challenge, and brings them back by itself', async () => {
  const { empty, nearlyEmpty, limited } = keys();
  for (const key of [empty, nearlyEmpty]) {
    control()?.setCreditsReadable(key, true);
    control()?.setCredits(key, '5');
  }
  control()?.setLimitRemaining(limited, '0.05');
  const cases = [
    { apiKey: empty, set: (fails: boolean) => control()?.disableKey(empty, fails), cause: /disabled|refuse/i },
    {
      apiKey: nearlyEmpty,
      set: (fails: boolean) => control()?.setCredits(nearlyEmpty, fails ? '0' : '5'),
      cause: /no credits left/,
    },
    {
      apiKey: limited,
      set: (fails: boolean) => control()?.setLimitRemaining(limited, fails ? '0' : '0.05'),
      cause: /limit of this key is used up/,
    },
  ];
  const sold = await Promise.all(
    cases.map(async (one, index) => {
      const owner = await app.current.makeCreator(`keyed-${index}`, { openRouterKey: null });
      expect((await owner.call('PUT', path, { apiKey: one.apiKey })).status).toBe(200);
      return { ...one, owner, ...(await owner.publish({ slug: 'essay' })) };
    }),
  );
  // By the clock it is minutes away.
  const itIsTheirTurn = async () => {
    const { rows } = await app.current.database.system.query<{ id: string }>(
      'SELECT owner_id AS id FROM user_openrouter_integrations JOIN users ON users.id = owner_id WHERE username = ANY ($1)',
      [sold.map(({ owner }) => owner.username)],
    );
    const bring = 'UPDATE user_openrouter_integrations SET next_check_at = now() WHERE owner_id = $1';
    await Promise.all(rows.map(({ id }) => app.current.database.asUser(id, (tx) => tx.query(bring, [id]))));
  };
  const readAll = () => Promise.all(sold.map(({ url }) => ask(url)));
  expect(await readAll()).toEqual([402, 402, 402]);
  sold.forEach(({ set }) => set(true));
  await itIsTheirTurn();
  await expect.poll(readAll, { timeout: 20_000 }).toEqual([503, 503, 503]);
  for (const { owner, id, cause } of sold) {
    const { body } = await owner.call('GET', `/api/resources/${id}`);
    expect(body).toMatchObject({ state: 'paused', pausedBy: 'key', pauseCause: expect.stringMatching(cause) });
  }
  sold.forEach(({ set }) => set(false));
  await itIsTheirTurn();
  await expect.poll(readAll, { timeout: 20_000 }).toEqual([402, 402, 402]);
  for (const { owner, id } of sold) {
    const { body } = await owner.call('GET', `/api/resources/${id}`);
    expect(body).toMatchObject({ state: 'published', pausedBy: null, pauseCause: null });
    const { body: told } = await owner.call('GET', '/api/user/notices?event=resource_resumed');
    expect(told['items']).toMatchObject([{ data: { resources: ['essay'] } }]);
  }
  const resold = sold[1]?.url ?? '';
  const payment = await payFor(await app.current.makeBuyer(), resold);
  expect(await send(resold, { payment, body: { topic: 'thrift' } })).toMatchObject({ status: 200 });
  control()?.setCredits(empty, '0');
  [empty, nearlyEmpty].forEach((key) => control()?.setCreditsReadable(key, false));
});
