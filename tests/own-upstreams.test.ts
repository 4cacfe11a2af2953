import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { payFor, send } from './support/paid-request.ts';
import { bytes, event, startScriptedUpstream, status, type ScriptedUpstream } from './support/scripted-upstream.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { chunk, completion, stream } from './support/upstream-shapes/shape.ts';

const environment: Record<string, string> = {};
let upstream: ScriptedUpstream;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  environment['UPSTREAM_ORIGINS'] = upstream.url;
});
const app = useApp(environment);
afterAll(() => upstream.close());

let creator: Creator;
let count = 0;
beforeAll(async () => {
  creator = await app.current.makeCreator('ada', { openRouterKey: null });
});
beforeEach(() => {
  count += 1;
});

const draft = (place: object, config: object = {}) => ({
  slug: `own-${count}`,
  kind: 'prompt_template',
  name: 'Own',
  description: 'A resource of a test.',
  category: 'ai',
  priceUsdc: '0.01',
  network: 'eip155:84532',
  payTo: creator.payTo,
  parameters: [{ name: 'topic', description: 'Any.', maxLength: 200 }],
  config: {
    model: 'llama3.2:3b',
    systemPrompt: 'Write about {topic}{/topic}.',
    upstream: { type: 'chat_completions', baseUrl: `${upstream.url}/v1`, ...place },
    ...config,
  },
});
const keyless = { apiKeySecret: null };

async function buy(url: string) {
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  const before = await app.current.balanceOf(buyer.address);
  const answer = await send(url, { payment, body: { topic: 'ore' } });
  return { answer, paid: before - (await app.current.balanceOf(buyer.address)) };
}

async function createWithKey(config: object = {}): Promise<string> {
  const { body } = await creator.call('POST', '/api/resources', draft({}, config));
  const id = String(body['id']);
  await creator.call('PUT', `/api/resources/${id}/secrets/upstream_api_key`, { value: 'sk-of-litellm-1234' });
  return id;
}

const events = (...pieces: unknown[]) =>
  bytes(pieces.map((piece) => (typeof piece === 'string' ? piece : event(piece))));

test('a server like Ollama is sold from without a key: it streams, ends with its own chunk and tells no usage', async () => {
  const { url } = await creator.publish(draft(keyless));
  upstream.script(
    events(
      { ...chunk({ role: 'assistant', content: 'Ore ' }), model: 'llama3.2:3b', system_fingerprint: 'fp_ollama' },
      { ...chunk({ role: 'assistant', content: 'glitters.' }), model: 'llama3.2:3b', system_fingerprint: 'fp_ollama' },
      { ...chunk({ role: 'assistant', content: '' }, 'stop'), model: 'llama3.2:3b', system_fingerprint: 'fp_ollama' },
      'data: [DONE]\n\n',
    ),
  );
  const { answer, paid } = await buy(url);
  expect(answer).toMatchObject({ status: 200, body: { response: 'Ore glitters.', usage: { total_tokens: null } } });
  expect(paid).toBe(10_000n);
  expect(upstream.seen[0]?.headers).not.toHaveProperty('authorization');
});

test('a server like Ollama that has not pulled the model is paused with what to do; nobody was charged', async () => {
  const { url, id } = await creator.publish(draft(keyless));
  upstream.script(
    status(404, {
      error: {
        message: 'model "llama3.2:3b" not found, try pulling it first',
        type: 'api_error',
        param: null,
        code: null,
      },
    }),
  );
  const { answer, paid } = await buy(url);
  expect([answer.status, paid]).toEqual([503, 0n]);
  expect((await creator.call('GET', `/api/resources/${id}`)).body).toMatchObject({
    state: 'paused',
    pauseCause: expect.stringMatching(/model is no longer offered.*try pulling it first/),
  });
});

test('a server like vLLM: reasoning beside the answer is not sold, its stop reason and the usage of its last chunk are read', async () => {
  const { url, id } = await creator.publish(draft(keyless));
  upstream.script(
    events(
      chunk({ role: 'assistant', content: '' }),
      chunk({ reasoning_content: 'Let me think.' }),
      chunk({ content: 'Ore.' }),
      { choices: [{ index: 0, delta: { content: '' }, logprobs: null, finish_reason: 'stop', stop_reason: 128_009 }] },
      { choices: [], usage: { prompt_tokens: 11, total_tokens: 15, completion_tokens: 4 } },
      'data: [DONE]\n\n',
    ),
  );
  const { answer } = await buy(url);
  expect(answer).toMatchObject({ status: 200, body: { response: 'Ore.', usage: { total_tokens: 15 } } });
  expect(JSON.stringify(answer.body)).not.toContain('think');
  const { body } = await creator.call('GET', `/api/usage?resourceId=${id}`);
  expect((body['items'] as object[])[0]).toMatchObject({ inputTokens: 11, outputTokens: 4, costUsd: null });
});

test('a server like vLLM that finds the prompt too long says so to the buyer, uncharged', async () => {
  const { url } = await creator.publish(draft(keyless));
  const message =
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (3976 in the messages, 1024 in the completion). Please reduce the length of the messages or completion.";
  upstream.script(status(400, { object: 'error', message, type: 'BadRequestError', param: null, code: 400 }));
  const { answer, paid } = await buy(url);
  expect([answer.status, answer.body['code'], paid]).toEqual([422, 'unprocessable', 0n]);
});

test('a proxy like LiteLLM is asked with the key of the resource, and an answer that comes as plain JSON is read', async () => {
  const id = await createWithKey();
  expect((await creator.call('POST', `/api/resources/${id}/publish`, {})).status).toBe(200);
  upstream.script(status(200, { ...completion({ content: 'Ore.' }), model: 'gpt-4o', service_tier: null }));
  const { answer } = await buy(`${app.current.url}/@ada/own-${count}`);
  expect(answer).toMatchObject({ status: 200, body: { response: 'Ore.', usage: { total_tokens: 8 } } });
  expect(upstream.seen[0]?.headers.authorization).toBe('Bearer sk-of-litellm-1234');
});

test.each([
  [
    'refuses the key',
    {
      code: 401,
      body: {
        error: { message: 'Authentication Error, Invalid proxy server token passed', type: 'auth_error', code: '401' },
      },
      cause: /does not accept the API key/,
    },
  ],
  [
    'knows no such model',
    {
      code: 404,
      body: { error: { message: 'The model `llama3.2:3b` does not exist', param: 'model', code: 'model_not_found' } },
      cause: /model is no longer offered/,
    },
  ],
])('a proxy like LiteLLM that %s pauses this resource alone', async (_what, { code, body, cause }) => {
  const id = await createWithKey();
  await creator.call('POST', `/api/resources/${id}/publish`, {});
  upstream.script(status(code, body));
  const { answer, paid } = await buy(`${app.current.url}/@ada/own-${count}`);
  expect([answer.status, paid]).toEqual([503, 0n]);
  const { body: read } = await creator.call('GET', `/api/resources/${id}`);
  expect(read).toMatchObject({ state: 'paused', pauseCause: expect.stringMatching(cause) });
  expect(JSON.stringify(answer.body)).not.toMatch(/token|key|model/i);
});

test('without a key that is said to be needed it is not published; the list of models shows whether address and key are right', async () => {
  const { body } = await creator.call('POST', '/api/resources', draft({}));
  const id = String(body['id']);
  const published = await creator.call('POST', `/api/resources/${id}/publish`, {});
  expect(JSON.stringify(published.body['errors'])).toContain('secrets/upstream_api_key');
  const ask = async () => (await creator.call('POST', `/api/resources/${id}/upstream-models`, {})).body;
  expect(await ask()).toMatchObject({ models: [], problem: expect.stringContaining('No API key') });
  await creator.call('PUT', `/api/resources/${id}/secrets/upstream_api_key`, { value: 'sk-of-litellm-1234' });
  upstream.script(status(200, { object: 'list', data: [{ id: 'llama3.2:3b', owned_by: 'library' }, { id: 'other' }] }));
  expect(await ask()).toEqual({ models: ['llama3.2:3b', 'other'], isListed: true, problem: null });
  expect(upstream.seen[0]).toMatchObject({ method: 'GET', path: '/v1/models' });
  upstream.script(status(401, { error: 'no' }));
  expect(await ask()).toMatchObject({ isListed: null, problem: expect.stringContaining('does not accept the key') });
});

test('a private address that the operator has not allowed is called in no way, with or without a key', async () => {
  const { port } = new URL(upstream.url);
  for (const baseUrl of [`http://localhost:${port}/v1`, 'http://10.0.0.5:11434/v1', 'https://169.254.169.254/v1']) {
    upstream.script(events(...stream('Leaked.')));
    const { body } = await creator.call('POST', '/api/resources', {
      ...draft({ ...keyless, baseUrl }),
      slug: `far-${port}-${count++}`,
    });
    expect(JSON.stringify(body['problems'])).toMatch(/\/config\/upstream\/baseUrl/);
    const asked = await creator.call('POST', `/api/resources/${String(body['id'])}/upstream-models`, {});
    const tried = await creator.call('POST', `/api/resources/${String(body['id'])}/test`, { input: { topic: 'x' } });
    expect([asked.status, tried.body['ok'], upstream.seen.length]).toEqual([422, false, 0]);
  }
});
