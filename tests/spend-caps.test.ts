import { beforeAll, expect, test } from 'vitest';
import { listKinds } from '../src/plugins.ts';
import { insertCall } from './support/insert-call.ts';
import { countRuns, payFor, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { openToyKind } from './support/toy-kind.ts';

/* What creators are willing to spend a day, through the whole app. */
const app = useApp({}, { listKinds: (deps) => [...listKinds(deps), openToyKind()] });

let ada: Creator;
beforeAll(async () => {
  ada = await app.current.makeCreator('ada');
});

const worstOf = async (id: string): Promise<string> => {
  const { body } = await ada.call('GET', `/api/resources/${id}`);
  return (body['cost'] as { published: { worstCostUsd: string } }).published.worstCostUsd;
};
const capOf = async (scope: string, subject: string | undefined, perDayUsd: string): Promise<string> => {
  const { status, body } = await ada.call('PUT', '/api/user/spend-caps', { scope, subject, perDayUsd });
  expect(status).toBe(200);
  return String(body['id']);
};
const forget = async (id: string): Promise<void> => {
  expect((await ada.call('DELETE', `/api/user/spend-caps/${id}`)).status).toBe(200);
};
const readLog = async (id: string) =>
  (await ada.call('GET', `/api/usage?resourceId=${id}`)).body['items'] as Record<string, unknown>[];
const told = async (event: string) =>
  ((await ada.call('GET', `/api/user/notices?limit=100&event=${event}`)).body['items'] as Told[]).toReversed();
interface Told {
  subject: string;
  severity: string;
  body: string;
  data: Record<string, unknown>;
}
const topicOf = (slug: string) => `topic of ${slug}`;

async function buyAll(url: string, topic: string, count: number) {
  const buyers = await Promise.all(Array.from({ length: count }, () => app.current.makeBuyer()));
  const payments = await Promise.all(buyers.map((buyer) => payFor(buyer, url)));
  return Promise.all(payments.map((payment) => send(url, { payment, body: { topic } })));
}

/** Twice the worst case of a call, and half of one: room for two at once. */
const twice = (worst: string): string => (Number(worst) * 2.5).toFixed(6);

test('of calls at once as many run as the cap of their resource has room for; the rest is told to come back, and is not charged', async () => {
  const { id, url } = await ada.publish({ slug: 'capped' });
  const other = await ada.publish({ slug: 'uncapped' });
  const before = await app.current.balanceOf(ada.payTo);
  app.current.sandbox?.openRouter?.control.setLatency({ firstTokenMs: 2_000 });
  const cap = await capOf('resource', id, twice(await worstOf(id)));
  const topic = topicOf('capped');
  const answers = await buyAll(url, topic, 5);
  app.current.sandbox?.openRouter?.control.setLatency({ firstTokenMs: 0 });
  const refused = answers.filter(({ status }) => status === 503);
  const sold = answers.filter(({ status }) => status === 200);
  expect([sold.length, refused.length]).toEqual([2, 3]);
  expect(refused[0]).toMatchObject({ body: { code: 'unavailable', charged: false } });
  expect(Number(refused[0]?.headers.get('Retry-After'))).toBeGreaterThan(0);
  expect(countRuns(app.current, topic)).toBe(2);
  expect((await app.current.balanceOf(ada.payTo)) - before).toBe(20_000n);
  expect((await readLog(id)).find(({ status }) => status === 'refused')).toMatchObject({
    cause: expect.stringMatching(/^spend_cap_reached: You spend at most 0\.\d+ USD a day for this resource\./),
  });
  const [notice, ...more] = (await told('spend_cap_reached')).filter(({ subject }) => subject === cap);
  expect([notice?.severity, notice?.data, more]).toMatchObject([
    'critical',
    { scope: 'resource', subject: 'capped', refused: { slug: 'capped', runs: 1 }, resources: ['capped'] },
    [],
  ]);
  expect(Number(notice?.data['heldUsd'])).toBeGreaterThan(0);
  // What the two did cost leaves room again.
  await expect.poll(async () => (await send(url)).status, { timeout: 10_000 }).toBe(402);
  expect((await send(other.url)).status).toBe(402);
  await forget(cap);
});

test("only a resource of one's own is capped, and whether others have one is not told", async () => {
  const eve = await app.current.makeCreator('eve');
  const { id } = await ada.publish({ slug: 'not-of-eve' });
  const answers = await Promise.all(
    [id, crypto.randomUUID()].map((subject) =>
      eve.call('PUT', '/api/user/spend-caps', { scope: 'resource', subject, perDayUsd: '1' }),
    ),
  );
  const [foreign, unknown] = answers.map(({ status, body }) => ({ status, body: { ...body, requestId: '' } }));
  expect(foreign).toEqual(unknown);
  expect(foreign).toMatchObject({ status: 404, body: { code: 'not_found' } });
  expect((await eve.call('GET', '/api/user/spend-caps')).body['items']).toEqual([]);
  const draft = await ada.call('POST', '/api/resources', { kind: 'openrouter_instant', slug: 'only-drafted' });
  await forget(await capOf('resource', String(draft.body['id']), '1'));
});

test('what a cap has no room for is not offered; raised, or on the next day, it is sold again by itself', async () => {
  const { id, url } = await ada.publish({ slug: 'paused-by-cap' });
  expect((await send(url)).status).toBe(402);
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  const cap = await capOf('resource', id, '0.000001');
  const body = { topic: topicOf('paused-by-cap') };
  expect(await send(url, { payment, body })).toMatchObject({ status: 503, body: { charged: false } });
  // The very next challenge knows it.
  expect((await send(url)).status).toBe(503);
  const { body: own } = await ada.call('GET', `/api/resources/${id}`);
  expect(own).toMatchObject({ state: 'published', pauseCause: expect.stringMatching(/^You spend .* raise it/) });
  const quote = await ada.call('POST', `/api/resources/${id}/quote`, { input: body });
  expect(quote.body).toMatchObject({ isReady: false, cause: expect.stringContaining('spend_cap_reached') });
  await capOf('resource', id, '5');
  await expect.poll(async () => (await send(url)).status, { timeout: 10_000 }).toBe(402);
  expect((await send(url, { payment, body })).status).toBe(200);
  const { system } = app.current.database;
  await system.query('UPDATE spend_days SET usd = 5 WHERE cap_id = $1', [cap]);
  await expect.poll(async () => (await send(url)).status, { timeout: 10_000 }).toBe(503);
  await system.query('UPDATE spend_days SET day = day - 1 WHERE cap_id = $1', [cap]);
  await expect.poll(async () => (await send(url)).status, { timeout: 10_000 }).toBe(402);
  await forget(cap);
});

test('a cap of the key bounds every resource, free ones and tests of their owner included', async () => {
  const priced = await ada.publish({ slug: 'of-key' });
  const free = await ada.publish({ slug: 'free', priceUsdc: '0' });
  const cap = await capOf('key', undefined, '0.000001');
  await expect.poll(async () => (await send(priced.url)).status, { timeout: 10_000 }).toBe(503);
  expect(await send(free.url, { body: { topic: 'x' } })).toMatchObject({ status: 503 });
  const own = await send(priced.url, { body: { topic: 'x' }, headers: { 'X-Owner-Test': 'true', Cookie: ada.cookie } });
  expect(own).toMatchObject({
    status: 503,
    body: { detail: expect.stringContaining('You spend at most 0.000001 USD') },
  });
  const [notice, ...more] = (await told('spend_cap_reached')).filter(({ subject }) => subject === cap);
  expect([notice?.data, more]).toMatchObject([{ scope: 'key', perDayUsd: '0.000001', heldUsd: '0' }, []]);
  expect(notice?.data['resources']).toEqual(expect.arrayContaining(['of-key', 'free']));
  expect(notice?.body).toMatch(/T00:00:00Z.*PUT \/api\/user\/spend-caps with "scope": "key"/);
  expect(await told('calls_refused')).toEqual([]);
  await forget(cap);
});

test('what is nearly used up is told by a look, each threshold once', async () => {
  const { id, url } = await ada.publish({ slug: 'nearly' });
  const cap = await capOf('resource', '*', '1');
  expect((await buyAll(url, topicOf('nearly'), 1)).map(({ status }) => status)).toEqual([200]);
  const { system } = app.current.database;
  for (const usd of ['0.5', '0.8', '0.76', '0.95', '0.8']) {
    await system.query('UPDATE spend_days SET usd = $2 WHERE cap_id = $1 AND subject = $3', [cap, usd, id]);
    await Promise.all([app.current.notices.watchMoney(), app.current.notices.watchMoney()]);
  }
  expect((await told('spend_cap_used')).map(({ data }) => data)).toMatchObject([
    { scope: 'resource', subject: 'nearly', isEach: true, percent: 75, spentUsd: '0.8', perDayUsd: '1' },
    { subject: 'nearly', percent: 90, spentUsd: '0.95' },
  ]);
  await forget(cap);
});

test('a cap of payers bounds each wallet by itself', async () => {
  const { id, url } = await ada.publish({ slug: 'by-payer' });
  const cap = await capOf('payer', '*', (Number(await worstOf(id)) * 1.01).toFixed(6));
  const [one, other] = [await app.current.makeBuyer(), await app.current.makeBuyer()];
  const buy = async (buyer: typeof one, topic: string) =>
    send(url, { payment: await payFor(buyer, url), body: { topic } });
  expect((await buy(one, 'first')).status).toBe(200);
  expect(await buy(one, 'second')).toMatchObject({ status: 503, body: { charged: false } });
  expect((await buy(other, 'third')).status).toBe(200);
  // Anybody can come with another wallet: the first is told.
  expect(await buy(other, 'fourth')).toMatchObject({ status: 503 });
  expect((await told('spend_cap_reached')).filter(({ subject }) => subject === cap)).toMatchObject([
    { data: { scope: 'payer', subject: one.address.toLowerCase(), isEach: true, resources: [] } },
  ]);
  expect((await send(url)).status).toBe(402);
  await forget(cap);
});

test('a run that fails for nothing, or is refused after it was held, leaves the cap as it was', async () => {
  const { id, url } = await ada.publish({ slug: 'held-for-nothing' });
  const cap = await capOf('resource', id, '1');
  app.current.sandbox?.openRouter?.control.fail('503', { times: 9 });
  const [failed] = await buyAll(url, 'fails', 1);
  expect(failed?.status).not.toBe(200);
  app.current.sandbox?.openRouter?.control.clearFaults();
  const { body } = await ada.call('GET', '/api/user/spend-caps');
  expect(body['items']).toMatchObject([{ id: cap, scope: 'resource', subject: id, perDayUsd: '1', spentUsd: '0' }]);
  await forget(cap);
});

test('calls with files that cannot be used leave no trace under a cap, however many come', async () => {
  const { id, url } = await ada.publish({
    slug: 'free-with-files',
    priceUsdc: '0',
    parameters: [{ name: 'picture', type: 'image' }],
    config: { modelId: 'google/gemini-2.5-flash', systemPrompt: 'Tell what is in {picture}{/picture}.', maxTokens: 60 },
  });
  const cap = await capOf('resource', id, '1');
  const body = { picture: `data:image/png;base64,${Buffer.from('no picture').toString('base64')}` };
  const refused = await Promise.all([1, 2, 3].map(() => send(url, { body })));
  expect(refused.map(({ status }) => status)).toEqual([400, 400, 400]);
  const { body: caps } = await ada.call('GET', '/api/user/spend-caps');
  expect(caps['items']).toMatchObject([{ id: cap, spentUsd: '0' }]);
  await forget(cap);
});

test('what a call held whose process died before it ran is given back by the reconciler', async () => {
  const { id } = await ada.publish({ slug: 'died' });
  const cap = await capOf('resource', id, '1');
  const { database, gateway } = app.current;
  const callId = await insertCall(database, { state: 'claimed' });
  await database.system.query(`SELECT hold_spend($1, owner_id, id, NULL, 0.25) FROM x402_resources WHERE id = $2`, [
    callId,
    id,
  ]);
  const spent = async () => {
    const { body } = await ada.call('GET', '/api/user/spend-caps');
    return (body['items'] as { id: string; spentUsd: string }[]).find((one) => one.id === cap)?.spentUsd;
  };
  expect(['0.25', '0']).toContain(await spent());
  await gateway.reconcile();
  await expect.poll(spent).toBe('0');
  await forget(cap);
});
