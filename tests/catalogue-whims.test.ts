import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { configOf, MODEL, OTHER, useCatalogueWorld } from './support/catalogue-world.ts';
import { payFor, send } from './support/paid-request.ts';

const world = useCatalogueWorld();
const { app, control, sync } = world;

async function buy(url: string) {
  const buyer = await app.current.makeBuyer();
  return send(url, { payment: await payFor(buyer, url), body: { topic: 'a harbour' } });
}

async function lastUsage(resourceId: string): Promise<Record<string, unknown>> {
  const { body } = await world.ruth.call('GET', `/api/usage?resourceId=${resourceId}`);
  return (body['items'] as Record<string, unknown>[])[0] ?? {};
}

/** The models that the simulated OpenRouter was asked for, by their order. */
const asked = () =>
  control()
    .requests.filter(({ path }) => path.endsWith('/chat/completions'))
    .map(({ body }) => body as { model: string; models?: string[] });

async function tryToPublish(slug: string, draft: Record<string, unknown>) {
  const made = await world.ruth.call('POST', '/api/resources', {
    kind: 'openrouter_instant',
    slug,
    name: slug,
    category: 'ai',
    priceUsdc: '0.01',
    payTo: world.ruth.payTo,
    network: 'eip155:84532',
    parameters: [{ name: 'topic', maxLength: 200 }],
    ...draft,
  });
  return world.ruth.call('POST', `/api/resources/${String(made.body['id'])}/publish`, {});
}

test.each([
  ['a null price', { pricing: { prompt: null, completion: '0.0000006' } }],
  ['an object instead of a price', { pricing: { prompt: { usd: '1' }, completion: '0.0000006' } }],
  ['no modalities', { architecture: { input_modalities: [], output_modalities: [] } }],
])('a model that is listed with %s goes on being sold', async (what, fields) => {
  const { url } = await world.ruth.publish({
    slug: `odd-${what.replaceAll(' ', '-')}`.slice(0, 40),
    config: configOf(),
  });
  control().changeEntry(MODEL, fields);
  expect(await sync()).toMatchObject({
    status: 'applied',
    counts: { removed: 0, missing: 0, odd: 1 },
    odd: [{ openrouterId: MODEL, isKept: true }],
    affectedResources: expect.any(Number),
  });
  control().reset();
  expect((await buy(url)).status).toBe(200);
});

test('a model that one list lacks goes on being sold, and the list is told how many resources use it', async () => {
  const { url } = await world.ruth.publish({ slug: 'once-missing', config: configOf() });
  control().retireModel(MODEL, { listed: false });
  const answer = await sync();
  expect(answer).toMatchObject({ status: 'applied', counts: { removed: 0, missing: 1 }, missing: [MODEL] });
  expect(answer['affectedResources']).toBeGreaterThan(0);
  control().reset();
  expect((await buy(url)).status).toBe(200);
});

test('when the first model is gone, a call runs on the one that stands in for it', async () => {
  const { id, url } = await world.ruth.publish({ slug: 'stand-in', config: configOf({ fallbackModels: [OTHER] }) });
  control().retireModel(MODEL, { listed: false });
  await sync({ force: true });
  const answer = await buy(url);
  expect(answer.status).toBe(200);
  expect(asked().at(-1)).toMatchObject({ model: OTHER });
  expect(await lastUsage(id)).toMatchObject({ status: 'success', model: expect.stringContaining(OTHER) });
});

test('without a model that stands in, a model that is gone is not sold', async () => {
  const { url } = await world.ruth.publish({ slug: 'alone', config: configOf() });
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  control().retireModel(MODEL, { listed: false });
  await sync({ force: true });
  expect((await send(url, { payment, body: { topic: 'a harbour' } })).status).toBe(503);
});

test.each([
  [`${MODEL}:nitro`, `${MODEL}:nitro`],
  [`${MODEL}:floor`, `${MODEL}:floor`],
  [`${MODEL}:exacto`, `${MODEL}:exacto`],
  [`${MODEL}@preset/terse`, `${MODEL}@preset/terse`],
  ['@preset/terse', '@preset/terse'],
  ['openrouter/auto', 'openrouter/auto'],
  ['OpenAI/GPT-4o-Mini', MODEL],
  [`openrouter/${MODEL}`, MODEL],
  [`https://openrouter.ai/${MODEL}`, MODEL],
])('%s can be published, and OpenRouter is asked for %s', async (modelId, wireName) => {
  const slug = `named-${createHash('sha256').update(modelId).digest('hex').slice(0, 12)}`;
  // What nobody can price beforehand is not sold at a fixed price; it may be given away.
  const priceUsdc = /@preset|auto/.test(modelId) ? '0' : '0.01';
  const { url } = await world.ruth.publish({ slug, priceUsdc, config: configOf({ modelId }) });
  const answered = priceUsdc === '0' ? await send(url, { body: { topic: 'a harbour' } }) : await buy(url);
  expect(answered).toMatchObject({ status: 200 });
  expect(asked().at(-1)?.model).toBe(wireName);
});

test('the search that :online adds is in the expected cost and in the true one', async () => {
  const { id, url } = await world.ruth.publish({ slug: 'online', config: configOf({ modelId: `${MODEL}:online` }) });
  expect((await buy(url)).status).toBe(200);
  const { costUsd, expectedCostUsd } = await lastUsage(id);
  expect(Number(expectedCostUsd)).toBeGreaterThan(0.007);
  expect(Number(costUsd)).toBeGreaterThan(0.007);
});

test.each([
  ['openai/gpt-4o-mimi', 'openai/gpt-4o-mini'],
  ['openai/gpt-4o-mini:thinking', 'openai/gpt-4o-mini'],
  ['claude-haiku-4.5', 'anthropic/claude-haiku-4.5'],
])('%s cannot be published, and the answer suggests %s', async (modelId, nearest) => {
  const slug = `unknown-${modelId.replaceAll(/[^a-z0-9]+/g, '-')}`;
  const { status, body } = await tryToPublish(slug, { config: configOf({ modelId }) });
  expect(status).toBe(422);
  const [error] = body['errors'] as { path: string; message: string }[];
  expect(error?.path).toBe('/config/modelId');
  expect(error?.message).toContain(`Did you mean ${nearest}`);
});

test('a picture sold for 0.02 that costs 0.038 shows its loss beside its price', async () => {
  const { id, url } = await world.ruth.publish({
    slug: 'picture',
    priceUsdc: '0.02',
    acceptsLoss: { maxLossUsdPerCall: '1' },
    category: 'media',
    config: configOf({ modelId: 'google/gemini-2.5-flash-image', systemPrompt: 'Paint {topic}{/topic}.' }),
  });
  const { body } = await world.ruth.call('GET', `/api/resources/${id}`);
  const { published, draft } = body['cost'] as { published: Record<string, string>; draft: unknown };
  expect(published).toMatchObject({
    priceUsdc: '0.02',
    typicalCostUsd: expect.stringMatching(/^0\.03[89]/),
    typicalMarginUsd: expect.stringMatching(/^-0\.01[89]/),
    worstMarginUsd: expect.stringMatching(/^-/),
    basis: expect.stringContaining('tokens of one picture'),
  });
  expect(draft).toEqual(published);
  expect((await buy(url)).status).toBe(200);
  const { costUsd, expectedCostUsd, worstCostUsd, marginUsd } = await lastUsage(id);
  expect(Number(worstCostUsd)).toBeGreaterThan(Number(costUsd));
  expect(Number(expectedCostUsd)).toBeCloseTo(Number(costUsd), 3);
  expect(Number(marginUsd)).toBeLessThan(0);
});

test('a cost that nobody knows is told as unknown, not as zero', async () => {
  const { id } = await world.ruth.publish({
    slug: 'router',
    priceUsdc: '0',
    config: configOf({ modelId: 'openrouter/auto' }),
  });
  const { body } = await world.ruth.call('GET', `/api/resources/${id}`);
  expect(body['cost']).toMatchObject({
    published: { priceUsdc: '0', typicalCostUsd: null, worstCostUsd: null, typicalMarginUsd: null },
  });
});

test('strangers see no cost, and the creator sees it of a draft too', async () => {
  const { id } = await world.ruth.publish({ slug: 'secret-cost', config: configOf() });
  await world.ruth.call('PATCH', `/api/resources/${id}`, { priceUsdc: '0.5' });
  const { body } = await world.ruth.call('GET', `/api/resources/${id}`);
  expect(body['cost']).toMatchObject({ draft: { priceUsdc: '0.5' }, published: { priceUsdc: '0.01' } });
  const stranger = (await fetch(`${app.current.url}/api/resources/${id}`).then((response) =>
    response.json(),
  )) as object;
  expect(JSON.stringify(stranger)).not.toMatch(/costUsd|marginUsd/i);
  expect(stranger).not.toHaveProperty('cost');
});

test('a version carries the row of its model, and a sync follows a model that is renamed', async () => {
  const { id } = await world.ruth.publish({
    slug: 'carries',
    config: configOf({ modelId: 'OpenAI/GPT-4o-mini:floor' }),
  });
  const read = async () => {
    const { rows } = await app.current.database.system.query<{ openrouter_id: string }>(
      `SELECT m.openrouter_id FROM x402_resource_versions v JOIN ai_models m ON m.id = v.ai_model_id
       WHERE v.resource_id = $1`,
      [id],
    );
    return rows.map((row) => row.openrouter_id);
  };
  expect(await read()).toEqual([MODEL]);
  control().changeEntry(MODEL, { id: 'openai/gpt-4o-mini-renamed' });
  await sync({ force: true });
  expect(await read()).toEqual(['openai/gpt-4o-mini-renamed']);
  control().reset();
  await sync({ force: true });
  expect(await read()).toEqual([MODEL]);
});

test('a resource goes on being sold while its model is renamed: under the old id, then under the new one', async () => {
  const { url } = await world.ruth.publish({ slug: 'renamed', config: configOf() });
  const newId = `${MODEL}-under-another-name`;
  control().renameModel(MODEL, newId);
  expect((await buy(url)).status).toBe(200);
  expect(asked().at(-1)?.model).toBe(MODEL);
  // The list lacks the old id: it is kept for now, and its slug has the new one found.
  expect(await sync()).toMatchObject({ status: 'applied', counts: { added: 1, missing: 1 } });
  expect((await buy(url)).status).toBe(200);
  expect(asked().at(-1)?.model).toBe(MODEL);
  expect(await sync({ force: true })).toMatchObject({ status: 'applied', counts: { removed: 1 } });
  expect((await buy(url)).status).toBe(200);
  expect(asked().at(-1)?.model).toBe(newId);
});

test('a model that is listed with another canonical slug goes on being sold under its id', async () => {
  const { url } = await world.ruth.publish({ slug: 'other-slug', config: configOf() });
  control().changeEntry(MODEL, { canonical_slug: 'openai/gpt-4o-mini-2026-11-27' });
  expect(await sync()).toMatchObject({ status: 'applied', counts: { added: 0, removed: 0, missing: 0 } });
  expect((await buy(url)).status).toBe(200);
  expect(asked().at(-1)?.model).toBe(MODEL);
});

test('an alias that moves is not published, and what is sold on its target stays there when it moves', async () => {
  const alias = '~openai/gpt-mini-latest';
  expect((await tryToPublish('moving', { config: configOf({ modelId: alias }) })).body['errors']).toMatchObject([
    { path: '/config/modelId', message: expect.stringContaining('Choose the model that it stands for today') },
  ]);
  const { url } = await world.ruth.publish({ slug: 'on-target', config: configOf() });
  control().changeEntry(alias, { alias_target: { name: 'Mini', slug: MODEL } });
  expect(await sync()).toMatchObject({ status: 'applied', counts: { removed: 0, missing: 0, odd: 0 } });
  expect((await buy(url)).status).toBe(200);
  control().changeEntry(alias, { alias_target: { name: 'Another', slug: OTHER } });
  expect(await sync()).toMatchObject({ status: 'applied', counts: { removed: 0, missing: 0, odd: 0 } });
  expect((await buy(url)).status).toBe(200);
  expect(asked().at(-1)?.model).toBe(MODEL);
});
