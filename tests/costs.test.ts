import { Big } from 'big.js';
import { expect, test } from 'vitest';
import { configOf, MODEL, OTHER, useCatalogueWorld } from './support/catalogue-world.ts';
import { payFor, send } from './support/paid-request.ts';
import type { Creator } from './support/start-app.ts';

/* What calls cost, what they must be sold for, and what is told of both, through the whole app. */
const world = useCatalogueWorld();
const { app, control, sync } = world;

async function getModel(path: string) {
  const response = await fetch(`${app.current.url}/api/models/${path}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, unknown> & { items: Record<string, unknown>[] };
}

async function buy(url: string, topic = 'a harbour') {
  const buyer = await app.current.makeBuyer();
  return send(url, { payment: await payFor(buyer, url), body: { topic } });
}

async function readLog(resourceId: string): Promise<Record<string, unknown>[]> {
  const { body } = await world.ruth.call('GET', `/api/usage?resourceId=${resourceId}`);
  return body['items'] as Record<string, unknown>[];
}

const lastChat = () =>
  control().requests.findLast(({ path }) => path.endsWith('/chat/completions'))?.body as Record<string, unknown>;

async function draftOf(slug: string, more: Record<string, unknown>): Promise<string> {
  const { body, status } = await world.ruth.call('POST', '/api/resources', {
    kind: 'openrouter_instant',
    slug,
    name: slug,
    category: 'ai',
    priceUsdc: '0.01',
    payTo: world.ruth.payTo,
    network: 'eip155:84532',
    parameters: [{ name: 'topic', maxLength: 200 }],
    config: configOf(),
    ...more,
  });
  expect(status).toBeLessThan(300);
  return String(body['id']);
}

async function publish(id: string, edit: Record<string, unknown> = {}) {
  await world.ruth.call('PATCH', `/api/resources/${id}`, edit);
  const { status, body } = await world.ruth.call('POST', `/api/resources/${id}/publish`, {});
  const [error] = (body['errors'] ?? []) as { path: string; message: string }[];
  return { status, path: error?.path, message: error?.message ?? '' };
}

const costOf = async (id: string) => {
  const { body } = await world.ruth.call('GET', `/api/resources/${id}`);
  return (body['cost'] as { draft: Record<string, string> }).draft;
};

test('the providers of a model are listed with prices, limits, uptime and latency', async () => {
  const { items, fetchedAt, problem } = await getModel(`${MODEL}/endpoints`);
  expect(problem).toBeNull();
  expect(Date.parse(String(fetchedAt))).toBeGreaterThan(Date.now() - 3_600_000);
  expect(items).toMatchObject([
    { tag: 'simulated', quantization: 'unknown', status: 0, uptime30m: 100, latencySeconds: { p50: 0.4 } },
    { tag: 'simulated-private', pricing: { prompt: '0.000000165' } },
    { tag: 'simulated-plus', pricing: { prompt: '0.0000001875' } },
  ]);
  expect((await fetch(`${app.current.url}/api/models/acme/unheard-of/endpoints`)).status).toBe(404);
});

test('the price of a model is told as points of a chart', async () => {
  control().changePrice(MODEL, { prompt: '0.0000009' });
  await sync({ force: true });
  control().reset();
  await sync({ force: true });
  const { points } = (await getModel(`${MODEL}/prices`)) as unknown as { points: Record<string, unknown>[] };
  expect(points.map(({ promptPerMillion }) => promptPerMillion).slice(-4)).toEqual(['0.15', '0.9', '0.15', '0.15']);
  const times = points.map(({ at }) => Date.parse(String(at)));
  expect(times).toEqual(times.toSorted((one, other) => one - other));
});

test('substitutes of a model can all that it can, with what such a call costs', async () => {
  const query = 'promptTokens=1000&completionTokens=2000';
  const { items, costUsd } = await getModel(`${MODEL}/substitutes?${query}`);
  expect(costUsd).toBe('0.00135');
  expect(items.length).toBeGreaterThan(0);
  expect(items.map(({ openrouterId }) => openrouterId)).not.toContain(MODEL);
  const costs = items.map((item) => Number(item['costUsd']));
  expect(costs).toEqual(costs.toSorted((one, other) => one - other));
  const [first] = items;
  expect(first?.['differenceUsd']).toBe(new Big(String(first?.['costUsd'])).minus(String(costUsd)).toFixed());
  const { items: nearest } = await getModel(`${MODEL}/substitutes?${query}&sort=nearest`);
  expect(String(nearest[0]?.['openrouterId'])).toMatch(/^openai\//);
});

test('a price below the worst case is refused with the numbers; the lowest price that is named passes, one unit less does not', async () => {
  const id = await draftOf('guarded', { priceUsdc: '0.0001' });
  const refused = await publish(id);
  expect(refused).toMatchObject({ status: 422, path: '/priceUsdc' });
  const lowest = /lowest price that would do is (\S+) USDC/.exec(refused.message)?.[1] ?? '';
  const { worstCostUsd, lowestPriceUsdc, suggestedPriceUsdc } = await costOf(id);
  expect(refused.message).toContain(`${worstCostUsd} USD and 5.5 %`);
  expect(lowestPriceUsdc).toBe(lowest);
  expect(Number(suggestedPriceUsdc)).toBeGreaterThanOrEqual(1.25 * Number(lowest) - 1e-6);
  // The dearer of the two providers, and what buying the credit costs.
  expect(Number(lowest)).toBeGreaterThan(Number(worstCostUsd) * 1.055 - 1e-9);
  const below = new Big(lowest).minus('0.000001').toFixed();
  expect(await publish(id, { priceUsdc: below })).toMatchObject({ status: 422, path: '/priceUsdc' });
  expect((await publish(id, { priceUsdc: lowest })).status).toBe(200);
});

test('a loss that is accepted in so many words is sold, and no larger one', async () => {
  const id = await draftOf('at-a-loss', { priceUsdc: '0.0001', acceptsLoss: { maxLossUsdPerCall: '0.0001' } });
  expect(await publish(id)).toMatchObject({ status: 422, path: '/priceUsdc' });
  expect((await publish(id, { acceptsLoss: { maxLossUsdPerCall: '0.01' } })).status).toBe(200);
});

test.each([
  ['a router', 'openrouter/auto', /chooses a model for each call by itself/],
  ['a preset', '@preset/terse', /preset/],
])('%s is refused at a fixed price with the reason, and may be given away', async (what, modelId, reason) => {
  const id = await draftOf(`unpriced-${what.slice(2)}`, { config: configOf({ modelId }) });
  const refused = await publish(id);
  expect(refused).toMatchObject({ status: 422, path: '/priceUsdc' });
  expect(refused.message).toMatch(reason);
  expect((await publish(id, { priceUsdc: '0' })).status).toBe(200);
});

test('a model that has become too dear is not offered any more: no 402, its creator reads the numbers, and it comes back by itself', async () => {
  const { id, url } = await world.ruth.publish({ slug: 'dearer', config: configOf() });
  const payment = await payFor(await app.current.makeBuyer(), url);
  control().changePrice(MODEL, { completion: '0.001' });
  await sync({ force: true });
  await expect.poll(async () => (await send(url)).status).toBe(503);
  const paid = await send(url, { payment, body: { topic: 'a harbour' } });
  expect(paid).toMatchObject({ status: 503, body: { charged: false } });
  expect(JSON.stringify(paid.body)).not.toMatch(/margin|cost|model/i);
  const { body } = await world.ruth.call('GET', `/api/resources/${id}`);
  expect(body).toMatchObject({ state: 'paused', pausedBy: 'readiness' });
  expect(body['pauseCause']).toMatch(/A call can cost up to .* its price is 0\.01 USDC\. The lowest price/);
  control().reset();
  await sync({ force: true });
  await expect.poll(async () => (await send(url)).status, { timeout: 20_000 }).toBe(402);
});

test('a model whose price is not told any more is not sold, because nothing would be sent along that bounds it', async () => {
  const { id, url } = await world.ruth.publish({ slug: 'untold', config: configOf() });
  const payment = await payFor(await app.current.makeBuyer(), url);
  control().changePrice(MODEL, { prompt: '-1', completion: '-1' });
  await sync({ force: true });
  await expect.poll(async () => (await send(url)).status).toBe(503);
  expect(await send(url, { payment, body: { topic: 'a' } })).toMatchObject({ status: 503, body: { charged: false } });
  const { body } = await world.ruth.call('GET', `/api/resources/${id}`);
  expect(body['pauseCause']).toMatch(/costs is not known before it.*sold again by itself/);
});

test('the highest prices that were reckoned with are always sent along, so that no dearer provider answers', async () => {
  const { id, url } = await world.ruth.publish({ slug: 'capped', config: configOf() });
  expect((await buy(url)).status).toBe(200);
  expect(lastChat()).toMatchObject({
    provider: { max_price: { prompt: '0.1875', completion: '0.75', request: '0' } },
  });
  // Dearer at the upstream than anybody here knows.
  control().changePrice(MODEL, { completion: '0.00001' });
  expect(await buy(url)).toMatchObject({ body: { charged: false } });
  expect(await readLog(id)).toMatchObject([{ status: 'failed', costUsd: expect.anything() }, { status: 'success' }]);
});

test('a choice of providers is sent, narrows the worst case, and shows buyers what it promises them', async () => {
  const all = await draftOf('all-providers', {});
  const one = await draftOf('one-provider', {
    config: configOf({ provider: { only: ['simulated-private'], zdr: true, dataCollection: 'deny', sort: 'price' } }),
  });
  expect(Number((await costOf(one))['worstCostUsd'])).toBeLessThan(Number((await costOf(all))['worstCostUsd']));
  expect((await publish(one)).status).toBe(200);
  const shown = (await (await fetch(`${app.current.url}/api/resources/${one}`)).json()) as Record<string, unknown>;
  expect(shown['details']).toMatchObject({ zdr: true, dataCollection: 'deny' });
  expect((await buy(`${app.current.url}/@ruth/one-provider`)).status).toBe(200);
  expect(lastChat()).toMatchObject({
    provider: {
      only: ['simulated-private'],
      zdr: true,
      data_collection: 'deny',
      sort: 'price',
      max_price: { prompt: '0.165' },
    },
  });
  expect(await readLog(one)).toMatchObject([
    { provider: 'Simulated Private', model: expect.stringContaining('gpt-4o-mini') },
  ]);
});

test('a choice of quantizations is sent, and only who serves one of them answers', async () => {
  const config = configOf({ provider: { quantizations: ['bf16', 'fp16'] } });
  const { id, url } = await world.ruth.publish({ slug: 'quantized', config });
  expect((await buy(url)).status).toBe(200);
  expect(lastChat()).toMatchObject({ provider: { quantizations: ['bf16', 'fp16'], max_price: { prompt: '0.1875' } } });
  expect(await readLog(id)).toMatchObject([{ provider: 'Simulated Plus' }]);
  const none = await draftOf('unserved', { config: configOf({ provider: { quantizations: ['int4'] } }) });
  expect(await publish(none)).toMatchObject({ status: 422, path: '/config/provider' });
});

test('settings that leave no provider are a problem, and a provider that nobody knows is a warning', async () => {
  const none = await draftOf('nobody', { config: configOf({ provider: { only: ['nobody-at-all'] } }) });
  expect(await publish(none)).toMatchObject({
    status: 422,
    path: '/config/provider',
    message: expect.stringContaining('simulated, simulated-private, simulated-plus'),
  });
  const odd = await draftOf('odd', { config: configOf({ provider: { ignore: ['simulted-plus'] } }) });
  const { body } = await world.ruth.call('POST', `/api/resources/${odd}/validate`, {});
  expect(body['warnings']).toContainEqual(expect.objectContaining({ path: '/config/provider/ignore' }));
});

test('a fallback counts in the worst case, and what answered in its place is told to buyer and creator', async () => {
  const alone = await draftOf('no-fallback', {});
  const { id, url } = await world.ruth.publish({
    slug: 'fallback',
    priceUsdc: '0.05',
    config: configOf({ fallbackModels: [OTHER] }),
  });
  expect(Number((await costOf(id))['worstCostUsd'])).toBeGreaterThan(Number((await costOf(alone))['worstCostUsd']));
  control().retireModel(MODEL);
  const { status, body } = await buy(url);
  expect(status).toBe(200);
  expect(body['model']).toMatch(/claude-haiku-4\.5|claude-4\.5-haiku/);
  expect(await readLog(id)).toMatchObject([
    { model: OTHER, evidence: { model: body['model'] }, provider: expect.stringMatching(/^Simulated/) },
  ]);
});

test('what a model answers and where it fails counts under one name, the one that the catalogue has', async () => {
  const { id, url } = await world.ruth.publish({ slug: 'one-name', config: configOf({ modelId: `${OTHER}:floor` }) });
  expect((await buy(url)).status).toBe(200);
  control().fail('502', { times: 9 });
  expect((await buy(url)).status).toBe(502);
  control().clearFaults();
  const { body } = await world.ruth.call('GET', `/api/usage/breakdown?by=model&resourceId=${id}`);
  expect(body['items']).toMatchObject([{ model: OTHER, calls: 2, successes: 1, failures: 1 }]);
  const named = await world.ruth.call('GET', `/api/usage?resourceId=${id}&model=${OTHER}`);
  expect(named.body['items']).toHaveLength(2);
});

async function quote(id: string, body: object, creator?: Creator) {
  if (creator) {
    return creator.call('POST', `/api/resources/${id}/quote`, body);
  }
  const response = await fetch(`${app.current.url}/api/resources/${id}/quote`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test('anybody is told before paying what a call costs, whether the input fits and how long it takes; nothing runs', async () => {
  const { id, url } = await world.ruth.publish({ slug: 'quoted', config: configOf() });
  expect((await buy(url)).status).toBe(200);
  const chats = control().requests.length;
  const { status, body } = await quote(id, { input: { topic: 'rivers' } });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    priceUsdc: '0.01',
    offers: [{ scheme: 'exact', network: 'eip155:84532', priceUsdc: '0.01', payTo: world.ruth.payTo }],
    isReady: true,
    isValid: true,
    problems: [],
    tokens: { maxOutput: 400, typicalInput: expect.any(Number) },
    latencyMs: expect.any(Number),
    cost: null,
    cause: null,
  });
  const wrong = await quote(id, { input: { topic: 'x'.repeat(300), colour: 'red' } });
  expect(wrong).toMatchObject({ status: 200, body: { isValid: false, tokens: null, priceUsdc: '0.01' } });
  expect((wrong.body['problems'] as { path: string }[]).map(({ path }) => path)).toContain('/input/topic');
  expect(control().requests.slice(chats)).toEqual([]);
  expect(await readLog(id)).toHaveLength(1);
  expect((await quote('01900000-0000-7000-8000-000000000001', {})).status).toBe(404);
});

test('an owner is told the expected and the worst cost of the very input, and no call of it costs more', async () => {
  const { id, url } = await world.ruth.publish({ slug: 'own-quote', config: configOf() });
  const short = await quote(id, { input: { topic: 'sea' } }, world.ruth);
  const long = await quote(id, { input: { topic: 'sea '.repeat(40) } }, world.ruth);
  const [one, other] = [short, long].map(({ body }) => body['cost'] as Record<string, string>);
  expect(one).toMatchObject({ feePercent: '5.5', loss: null, basis: expect.stringContaining('per million') });
  expect(Number(other?.['worstUsd'])).toBeGreaterThan(Number(one?.['worstUsd']));
  expect((await buy(url, 'sea')).status).toBe(200);
  const [call] = await readLog(id);
  expect(Number(call?.['costUsd'])).toBeLessThanOrEqual(Number(one?.['worstUsd']));
  const eve = await app.current.makeCreator('eve');
  expect((await quote(id, { input: { topic: 'sea' } }, eve)).body).toMatchObject({ cost: null, cause: null });
});

test('a quote says when a resource cannot answer, and why to its owner alone', async () => {
  const { id } = await world.ruth.publish({ slug: 'away', config: configOf() });
  await world.ruth.call('POST', `/api/resources/${id}/pause`, {});
  expect((await quote(id, { input: { topic: 'sea' } })).body).toMatchObject({ isReady: false, cause: null });
  expect((await quote(id, { input: { topic: 'sea' } }, world.ruth)).body).toMatchObject({ cause: expect.any(String) });
});
