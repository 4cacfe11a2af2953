import { beforeAll, expect, test } from 'vitest';
import { payFor, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp({ OPENROUTER_API_KEY: 'sk-or-v1-operator-of-the-test', OPENROUTER_API_KEY_CREATORS: '*' });
let creator: Creator;
beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
});

const declaredModel = {
  contextLength: 32_000,
  maxCompletionTokens: 2_000,
  supportedParameters: ['temperature'],
  pricing: { prompt: '0.000002', completion: '0.000008' },
};
const draft = (slug: string, config: object) => ({
  slug,
  kind: 'openrouter_instant',
  name: slug,
  description: 'A resource of a test.',
  category: 'ai',
  priceUsdc: '0.05',
  network: 'eip155:84532',
  payTo: creator.payTo,
  parameters: [{ name: 'topic', description: 'Any.', maxLength: 200 }],
  config: { systemPrompt: 'Write about {topic}{/topic}.', maxTokens: 200, ...config },
});
const create = async (slug: string, config: object, by = creator) => {
  const made = await by.call('POST', '/api/resources', draft(slug, config));
  return made.body as {
    id: string;
    problems: { path: string; message: string }[];
    warnings: object[];
    cost: { draft: object };
  };
};

test('a preset with declared prices is sold with a worst case known before it, said to be declared, and its true cost comes from the answer', async () => {
  const config = { modelId: 'openai/gpt-4o-mini@preset/house', declaredModel };
  const made = await create('preset', config);
  expect(made.problems).toEqual([]);
  expect(JSON.stringify(made.cost.draft)).toContain('the prices that you declared');
  expect(JSON.stringify(made.warnings)).toContain('those that you declared');
  const { url, id } = await creator.publish(draft('preset-sold', config));
  const view = await send(`${app.current.url}/api/resources/${id}`, { method: 'GET' });
  expect(view.body['details']).toMatchObject({ model: 'openai/gpt-4o-mini', isModelDeclared: true });
  const buyer = await app.current.makeBuyer();
  const answer = await send(url, { payment: await payFor(buyer, url), body: { topic: 'ore' } });
  expect(answer).toMatchObject({ status: 200, body: { receipt: { paidUsdc: '0.05' } } });
  const { body } = await creator.call('GET', `/api/usage?resourceId=${id}`);
  const [line] = body['items'] as { costUsd: string; evidence: Record<string, unknown> }[];
  expect(line?.evidence).toMatchObject({ isModelDeclared: true, worstCostUsd: expect.any(String) });
  expect(Number(line?.costUsd)).toBeGreaterThan(0);
  expect(line?.costUsd).not.toBe(line?.evidence['expectedCostUsd']);
});

test('a model that the catalogue does not know can be published by id once it is declared; its draft is tried before', async () => {
  const unknown = await create('private-1', { modelId: 'acme/our-own-tune' });
  expect(unknown.problems.map(({ path }) => path)).toContain('/config/modelId');
  const declared = await create('private-2', { modelId: 'acme/our-own-tune', declaredModel });
  expect(declared.problems).toEqual([]);
  const tried = await creator.call('POST', `/api/resources/${declared.id}/test`, { input: { topic: 'ore' } });
  expect(tried.body).toMatchObject({ ok: false, cause: expect.stringContaining('model') });
  expect(app.current.sandbox?.openRouter?.control.requests.at(-1)?.body).toMatchObject({ model: 'acme/our-own-tune' });
});

test('a private model is published by its id and sold, at the prices that were declared', async () => {
  const modelId = 'acme/our-private-tune';
  // Of the upstream alone: the catalogue was read before.
  app.current.sandbox?.openRouter?.control.changeEntry('openai/gpt-4.1', { id: modelId, canonical_slug: modelId });
  const { url, id } = await creator.publish(draft('private-sold', { modelId, declaredModel }));
  const buyer = await app.current.makeBuyer();
  const answer = await send(url, { payment: await payFor(buyer, url), body: { topic: 'ore' } });
  expect(answer).toMatchObject({ status: 200, body: { model: modelId, receipt: { paidUsdc: '0.05' } } });
  expect(await app.current.balanceOf(creator.payTo)).toBeGreaterThanOrEqual(50_000n);
  expect(await app.current.balanceOf(buyer.address)).toBe(10_000_000n - 50_000n);
  expect(app.current.sandbox?.openRouter?.control.requests.at(-1)?.body).toMatchObject({
    model: modelId,
    provider: { max_price: { prompt: '2', completion: '8' } },
  });
  const { body } = await creator.call('GET', `/api/usage?resourceId=${id}`);
  const [line] = body['items'] as { costUsd: string; worstCostUsd: string; evidence: Record<string, unknown> }[];
  expect(line).toMatchObject({ status: 'success', evidence: { isModelDeclared: true } });
  expect(Number(line?.costUsd)).toBeGreaterThan(0);
  expect(Number(line?.costUsd)).toBeLessThanOrEqual(Number(line?.worstCostUsd));
});

test('what is declared bounds what can be set, and is refused for a model whose prices the catalogue tells', async () => {
  const beyond = await create('beyond', { modelId: 'acme/our-own-tune', declaredModel, maxTokens: 2_001, topP: 0.5 });
  expect(beyond.problems.map(({ path }) => path)).toEqual(['/config/maxTokens', '/config/topP']);
  const listed = await create('listed', { modelId: 'openai/gpt-4o-mini', declaredModel });
  expect(listed.problems).toMatchObject([{ path: '/config/declaredModel', message: expect.stringContaining('leave') }]);
  const moving = await create('moving', { modelId: '~acme/tune-latest', declaredModel });
  expect(moving.problems).toMatchObject([{ path: '/config/modelId' }]);
});

test("a price that a creator declares never spends the operator's money", async () => {
  const bob = await app.current.makeCreator('bob', { openRouterKey: null });
  const free = { ...declaredModel, pricing: { prompt: '0', completion: '0' } };
  const made = await create('on-loan', { modelId: 'acme/our-own-tune', declaredModel: free }, bob);
  expect(made.problems).toMatchObject([{ path: '/config', message: expect.stringContaining('operator') }]);
  const before = app.current.sandbox?.openRouter?.control.requests.length;
  const tried = await bob.call('POST', `/api/resources/${made.id}/test`, { input: { topic: 'ore' } });
  expect(tried.body).toMatchObject({ ok: false, cause: expect.stringContaining('key_needed') });
  expect(app.current.sandbox?.openRouter?.control.requests.length).toBe(before);
});
