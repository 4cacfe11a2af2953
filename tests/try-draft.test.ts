import { beforeAll, expect, test } from 'vitest';
import { countRuns, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp();
let creator: Creator;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
});

const draft = (slug: string) => ({
  slug,
  kind: 'openrouter_instant',
  parameters: [{ name: 'topic', type: 'string', description: 'Any topic.', required: true, maxLength: 200 }],
  config: { modelId: 'openai/gpt-4o-mini', systemPrompt: 'Write about {topic}{/topic}.', maxTokens: 120 },
});

async function make(owner: Creator, fields: Record<string, unknown>): Promise<string> {
  const { status, body } = await owner.call('POST', '/api/resources', fields);
  expect(status).toBe(201);
  return String(body['id']);
}

const tryIt = (owner: Creator, id: string, input: object = { topic: 'a draft' }) =>
  owner.call('POST', `/api/resources/${id}/test`, { input });

test('a draft without price or payee answers its owner, with prompt, answer, tokens, cost and what stands in the way', async () => {
  const id = await make(creator, draft('first'));
  const tried = await tryIt(creator, id, { topic: 'a first draft' });
  expect(tried).toMatchObject({
    status: 200,
    body: {
      ok: true,
      cause: null,
      prompt: [{ role: 'user', content: 'Write about a first draft.' }],
      answer: { contentType: 'application/json', json: { response: expect.any(String) } },
      keySource: 'own',
      cost: { typicalCostUsd: expect.any(String), basis: expect.any(String) },
      evidence: { inputTokens: expect.any(Number), outputTokens: expect.any(Number), finishReason: expect.any(String) },
    },
  });
  expect(Number(tried.body['costUsd'])).toBeGreaterThan(0);
  expect((tried.body['problems'] as { path: string }[]).map(({ path }) => path)).toContain('/priceUsdc');
  expect(countRuns(app.current, 'a first draft')).toBe(1);

  const cost = tried.body['cost'] as Record<string, string>;
  expect(Number(cost['worstCostUsd'])).toBeGreaterThanOrEqual(Number(tried.body['costUsd']));
  const { suggestedPriceUsdc: priceUsdc } = cost;
  const offer = { priceUsdc, network: 'eip155:84532', payTo: creator.payTo };
  await creator.call('PATCH', `/api/resources/${id}`, offer);
  const { body: shown } = await creator.call('GET', `/api/resources/${id}`);
  expect(shown['cost']).toMatchObject({ draft: { priceUsdc, ...cost } });
});

test('a run of a draft is logged as a test and never counted as a sale', async () => {
  const id = await make(creator, draft('logged'));
  const { body } = await tryIt(creator, id);
  const { body: page } = await creator.call('GET', `/api/usage?resourceId=${id}`);
  expect(page['items']).toMatchObject([
    {
      callId: body['callId'],
      isTest: true,
      isFree: false,
      status: 'success',
      version: 0,
      earnedUsdc: '0',
      payer: null,
    },
  ]);
  const { body: shown } = await creator.call('GET', `/api/resources/${id}`);
  expect(shown).toMatchObject({ state: 'draft', stats: { call_count: 0, success_count_30d: 0 } });
});

test('the run of a draft is of the draft, also where another version is published', async () => {
  const { id, url } = await creator.publish({ slug: 'edited' });
  const config = { ...draft('').config, systemPrompt: 'Sing about {topic}{/topic}.' };
  await creator.call('PATCH', `/api/resources/${id}`, { config });
  const { body } = await tryIt(creator, id, { topic: 'an edit' });
  expect(body['prompt']).toEqual([{ role: 'user', content: 'Sing about an edit.' }]);
  const owners = { cookie: creator.cookie, headers: { 'X-Owner-Test': 'true' }, body: { topic: 'the sold one' } };
  expect((await send(url, owners)).status).toBe(200);
  expect(countRuns(app.current, 'Write about the sold one')).toBe(1);
});

test('a draft that cannot run says why: its key, its template, its input, its upstream', async () => {
  const keyless = await app.current.makeCreator('keyless', { openRouterKey: null });
  const noKey = await tryIt(keyless, await make(keyless, draft('no-key')));
  expect(noKey.body).toMatchObject({
    ok: false,
    cause: expect.stringMatching(/^key_missing: .*PUT \/api\/user\/integrations\/openrouter/),
    cost: { suggestedPriceUsdc: expect.any(String) },
    prompt: [{ content: 'Write about a draft.' }],
    answer: null,
  });
  expect(JSON.stringify(noKey.body).split('PUT /api/user/integrations/openrouter')).toHaveLength(2);
  const config = { ...draft('').config, modelId: 'openai/gpt-4o-minni' };
  const unknown = await tryIt(creator, await make(creator, { ...draft('unknown'), config }));
  expect(JSON.stringify(unknown.body).split('The catalogue has no model')).toHaveLength(2);
  const broken = {
    ...draft('broken'),
    config: { ...draft('').config, systemPrompt: 'Write about {nobody}{/nobody}.' },
  };
  const template = await tryIt(creator, await make(creator, broken));
  expect(template.body).toMatchObject({ ok: false, cost: null, cause: expect.stringMatching(/^not_runnable/) });
  expect((template.body['problems'] as { path: string }[]).map(({ path }) => path)).toContain('/config/systemPrompt');
  const input = await tryIt(creator, await make(creator, draft('input')), { subject: 'x' });
  expect(input.body).toMatchObject({ status: 400, code: 'invalid_input' });
  app.current.sandbox?.openRouter?.control.fail('ok_reasoning_starved');
  const upstream = await tryIt(creator, await make(creator, draft('upstream')));
  expect(upstream.body).toMatchObject({ ok: false, cause: expect.stringMatching(/^reasoning_starved: /) });
});

test('nobody but its owner runs a draft', async () => {
  const id = await make(creator, draft('private'));
  const mallory = await app.current.makeCreator('mallory');
  expect((await tryIt(mallory, id, { topic: 'not mine' })).status).toBe(404);
  const { body } = await creator.call('POST', '/api/user/api-keys', { label: 'reader', scopes: ['resources:read'] });
  const headers = { Authorization: `Bearer ${String(body['secret'])}` };
  const url = `${app.current.url}/api/resources/${id}/test`;
  expect((await send(url, { headers, body: { input: { topic: 'not mine' } } })).status).toBe(403);
  expect((await send(url, { body: { input: { topic: 'not mine' } } })).status).toBe(401);
  expect(countRuns(app.current, 'not mine')).toBe(0);
});

test('runs of drafts are limited by the minute', async () => {
  const eager = await app.current.makeCreator('eager');
  const id = await make(eager, draft('often'));
  const answers = await Promise.all(Array.from({ length: 34 }, () => tryIt(eager, id)));
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(4);
});
