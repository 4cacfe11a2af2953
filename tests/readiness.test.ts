import { beforeAll, beforeEach, expect, test } from 'vitest';
import { countRuns, payFor, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp();
const model = 'openai/gpt-4o-mini';
const body = { topic: 'rivers' };
const path = '/api/user/integrations/openrouter';
let creator: Creator;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
});
beforeEach(() => listModel(true));

/** The catalogue takes the model off or back on, as a sync does, and tells all processes. */
async function listModel(isActive: boolean): Promise<void> {
  const { system } = app.current.database;
  await system.query('UPDATE ai_models SET is_active = $2 WHERE openrouter_id = $1', [model, isActive]);
  await system.query(`SELECT pg_notify('models_changed', 'test')`);
}

const ask = async (url: string) => (await send(url)).status;
const read = async (id: string) => (await creator.call('GET', `/api/resources/${id}`)).body;

/** The same payment in the name of another payer. */
function forge(payment: string, from: string): string {
  const envelope = JSON.parse(Buffer.from(payment, 'base64').toString()) as {
    payload: { signature: string; authorization: { from: string } };
  };
  envelope.payload.authorization.from = from;
  return Buffer.from(JSON.stringify(envelope)).toString('base64');
}

async function readUsage(resourceId: string) {
  const { body: page } = await creator.call('GET', `/api/usage?resourceId=${resourceId}`);
  return page['items'] as Record<string, unknown>[];
}

test('a resource whose creator has no key cannot be published, and the refusal says which key to send where', async () => {
  const newcomer = await app.current.makeCreator('newcomer', { openRouterKey: null });
  const refused = await newcomer.publish({ slug: 'essay' }).catch((error: unknown) => String(error));
  expect(refused).toMatch(/answered 422/);
  expect(refused).toContain('"path":"/config"');
  expect(refused).toMatch(/PUT \/api\/user\/integrations\/openrouter/);
  expect(refused).toMatch(/openrouter\.ai\/settings\/keys and send/);
  const { body: mine } = await newcomer.call('GET', '/api/resources?mine=true');
  const [draft] = mine['items'] as { id: string; state: string }[];
  expect(draft).toMatchObject({ state: 'draft' });
  await newcomer.call('PUT', path, { apiKey: app.current.sandbox?.openRouter?.keys.healthy });
  const published = await newcomer.call('POST', `/api/resources/${draft?.id}/publish`, {});
  expect(published.body).toMatchObject({ state: 'published' });
});

test('a resource whose model is gone is not offered, is logged and paused with what to do, and comes back with the model', async () => {
  const { id, url } = await creator.publish({ slug: 'retired' });
  expect(await ask(url)).toBe(402);
  await listModel(false);
  await expect.poll(() => ask(url)).toBe(503);
  const refused = await send(url, { body });
  expect(refused.body).toMatchObject({ code: 'unavailable' });
  expect(JSON.stringify(refused.body)).not.toMatch(/gpt|model|openrouter/i);
  expect(await readUsage(id)).toMatchObject([
    {
      status: 'refused',
      problem: 'unavailable',
      cause: expect.stringMatching(/^model_gone: .*gpt-4o-mini/),
      payer: null,
    },
  ]);
  expect(await read(id)).toMatchObject({
    state: 'paused',
    pausedBy: 'readiness',
    pauseCause: expect.stringMatching(/gpt-4o-mini/),
  });
  const tested = await send(url, { body, cookie: creator.cookie, headers: { 'X-Owner-Test': 'true' } });
  expect(tested).toMatchObject({ status: 503, body: { detail: expect.stringMatching(/paused.*gpt-4o-mini/) } });
  await listModel(true);
  await expect.poll(() => ask(url), { timeout: 20_000 }).toBe(402);
  expect(await read(id)).toMatchObject({ state: 'published', pausedBy: null, pauseCause: null });
});

test('a payment for what cannot run is refused uncharged, logged with its payer, and counted in the rate that buyers see', async () => {
  const { id, url } = await creator.publish({ slug: 'late' });
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  const other = await creator.publish({ slug: 'told' });
  await listModel(false);
  await expect.poll(() => ask(other.url)).toBe(503);
  const topic = 'a payment too late';
  const refused = await send(url, { payment, body: { topic } });
  expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable', charged: false } });
  expect(countRuns(app.current, topic)).toBe(0);
  await expect
    .poll(() => readUsage(id))
    .toMatchObject([
      { status: 'refused', cause: expect.stringMatching(/^model_gone: /), payer: buyer.address.toLowerCase() },
    ]);
  const { body: seen } = await app.current.makeCreator('eve').then((eve) => eve.call('GET', `/api/resources/${id}`));
  expect(seen).toMatchObject({ view: 'public', stats: { success_count_30d: 0, failure_count_30d: 1 } });
});

test('payments that their payer did not sign name nobody in the log and fail nothing in the rate that buyers see', async () => {
  const { id, url } = await creator.publish({ slug: 'victim' });
  const other = await creator.publish({ slug: 'bait' });
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  await listModel(false);
  await expect.poll(() => ask(other.url)).toBe(503);
  for (const digit of ['a', 'b', 'c', 'd']) {
    const forged = forge(payment, `0x${digit.repeat(40)}`);
    expect(await send(url, { payment: forged, body })).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  }
  const rows = await readUsage(id);
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.map(({ payer }) => payer).filter((payer) => payer !== null)).toEqual([]);
  expect((await read(id))['stats']).toMatchObject({ failure_count_30d: 0 });
});

test('calls that come while a resource is paused because it cannot run are logged too, with and without a payment', async () => {
  const { id, url } = await creator.publish({ slug: 'missed' });
  const other = await creator.publish({ slug: 'first' });
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  await listModel(false);
  await expect.poll(() => ask(other.url)).toBe(503);
  await expect.poll(() => ask(url)).toBe(503);
  await expect.poll(async () => (await read(id))['state']).toBe('paused');
  await expect.poll(async () => (await send(url, { payment, body })).status).toBe(503);
  const payer = buyer.address.toLowerCase();
  const cause = expect.stringMatching(/gpt-4o-mini/) as unknown;
  await expect
    .poll(() => readUsage(id))
    .toEqual(
      expect.arrayContaining([expect.objectContaining({ status: 'refused', problem: 'unavailable', cause, payer })]),
    );
  await creator.call('POST', `/api/resources/${id}/pause`, {});
  expect((await send(url, { body })).status).toBe(503);
  const [newest] = await readUsage(id);
  expect(newest).toMatchObject({ status: 'refused', cause: 'Paused by its creator.', payer: null });
});

test('anonymous calls of a free resource that cannot run are limited before they are counted', async () => {
  const { id, url } = await creator.publish({ slug: 'gift', priceUsdc: '0' });
  const other = await creator.publish({ slug: 'sign' });
  await listModel(false);
  await expect.poll(() => ask(other.url)).toBe(503);
  const statuses = [];
  for (let at = 0; at < 31; at += 1) {
    statuses.push((await send(url, { body })).status);
  }
  expect([statuses[0], statuses.at(-1)]).toEqual([503, 429]);
  expect((await read(id))['stats']).toMatchObject({
    failure_count_30d: expect.toSatisfy((count) => count >= 1 && count <= 2),
  });
});

test('what its owner paused is not resumed by a model or a key that comes back', async () => {
  const { id, url } = await creator.publish({ slug: 'mine' });
  await creator.call('POST', `/api/resources/${id}/pause`, {});
  const other = await creator.publish({ slug: 'other' });
  await listModel(false);
  await expect.poll(() => ask(other.url)).toBe(503);
  await listModel(true);
  await expect.poll(() => ask(other.url), { timeout: 20_000 }).toBe(402);
  expect(await read(id)).toMatchObject({ state: 'paused', pausedBy: 'owner' });
  expect(await ask(url)).toBe(503);
});

test("an owner's test of a resource without its key says to store one", async () => {
  const bob = await app.current.makeCreator('bob');
  const { id, url } = await bob.publish({ slug: 'keyless' });
  await bob.call('DELETE', path);
  const tested = await send(url, { body, cookie: bob.cookie, headers: { 'X-Owner-Test': 'true' } });
  expect(tested).toMatchObject({
    status: 503,
    body: { detail: expect.stringMatching(/PUT \/api\/user\/integrations/) },
  });
  expect((await bob.call('GET', `/api/resources/${id}`)).body).toMatchObject({
    pausedBy: 'key',
    pauseCause: expect.stringMatching(/was deleted\. Store another one with PUT/),
  });
});
