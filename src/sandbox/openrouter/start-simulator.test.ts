import { PNG } from 'pngjs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { readSnapshot } from '../../models/snapshot/read-snapshot.ts';
import { startOpenRouterSimulator } from './start-simulator.ts';
import type { OpenRouterSimulator } from './start-simulator.ts';

const MODEL = 'openai/gpt-4.1-mini';
const clock = { at: Date.UTC(2026, 10, 21, 12), now: () => clock.at };
let simulator: OpenRouterSimulator;

beforeAll(async () => {
  const { models } = await readSnapshot();
  simulator = await startOpenRouterSimulator({ port: 0, catalogue: models, clock });
});
afterAll(() => simulator.stop());
beforeEach(() => simulator.control.reset());

interface Sent {
  key?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

function post(body: Record<string, unknown>, { key = simulator.keys.healthy, headers = {}, signal }: Sent = {}) {
  return fetch(`${simulator.url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'Tell me about lighthouses' }], ...body }),
    ...(signal ? { signal } : {}),
  });
}

function get(path: string, key: string = simulator.keys.healthy) {
  return fetch(`${simulator.url}${path}`, { headers: { authorization: `Bearer ${key}` } });
}

type Loose = { [key: string]: Loose } & Loose[] & string & number & null;
const jsonOf = async (response: Response): Promise<Loose> => (await response.json()) as Loose;

test('a JSON answer has the keys of the wire in their order and is marked as simulated', async () => {
  const response = await post({});
  const body = await jsonOf(response);
  expect(response.headers.get('x-farebox-simulated')).toBe('true');
  expect(response.headers.get('x-generation-id')).toBe(body['id']);
  expect(Object.keys(body)).toStrictEqual([
    'id',
    'object',
    'created',
    'model',
    'provider',
    'service_tier',
    'system_fingerprint',
    'choices',
    'usage',
  ]);
  expect(Object.keys(body['choices'][0] ?? {})).toStrictEqual([
    'index',
    'logprobs',
    'finish_reason',
    'native_finish_reason',
    'message',
  ]);
  expect(Object.keys(body['choices'][0]?.['message'] ?? {})).toStrictEqual(['role', 'content', 'refusal', 'reasoning']);
  expect(Object.keys(body['usage'])).toStrictEqual([
    'prompt_tokens',
    'completion_tokens',
    'total_tokens',
    'cost',
    'is_byok',
    'prompt_tokens_details',
    'cost_details',
    'completion_tokens_details',
  ]);
  expect(Object.keys(body['usage']['cost_details'])).toStrictEqual([
    'upstream_inference_cost',
    'upstream_inference_prompt_cost',
    'upstream_inference_completions_cost',
  ]);
  expect(body['id']).toMatch(/^gen-\d{10}-[0-9A-Za-z]{20}$/);
  expect(body['model']).toMatch(/^openai\/gpt-4\.1-mini-\d{8}$/);
  expect(body['provider']).toBe('Simulated');
  expect(body['choices'][0]?.['message']['content']).toMatch(/^\[simulated\] .*lighthouses/s);
});

async function streamOf(response: Response): Promise<{ raw: string; comments: number; events: Loose[]; isDone: boolean }> {
  const raw = await response.text();
  const blocks = raw.split('\n\n').filter(Boolean);
  const data = blocks.filter((block) => block.startsWith('data: ')).map((block) => block.slice(6));
  return {
    raw,
    comments: blocks.filter((block) => block === ': OPENROUTER PROCESSING').length,
    events: data.filter((block) => block !== '[DONE]').map((block) => JSON.parse(block) as Loose),
    isDone: data.at(-1) === '[DONE]',
  };
}

test('a stream has comments, repeated roles, two finish chunks, the second with usage, and [DONE]', async () => {
  const response = await post({ stream: true });
  const { comments, events, isDone } = await streamOf(response);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  expect(response.headers.get('cache-control')).toBe('no-cache');
  expect(comments).toBe(2);
  expect(isDone).toBe(true);
  const content = events.slice(0, -2);
  for (const event of content) {
    expect(Object.keys(event)).toStrictEqual(['id', 'object', 'created', 'model', 'provider', 'choices']);
    expect(Object.keys(event['choices'][0] ?? {})).toStrictEqual([
      'index',
      'delta',
      'finish_reason',
      'native_finish_reason',
      'logprobs',
    ]);
    expect(Object.keys(event['choices'][0]?.['delta'] ?? {})).toStrictEqual(['content', 'role']);
  }
  const [finish, usage] = events.slice(-2);
  expect(finish?.['choices'][0]?.['finish_reason']).toBe('stop');
  expect(usage?.['choices'][0]?.['finish_reason']).toBe('stop');
  expect(Object.keys(usage ?? {})).toStrictEqual([
    'id',
    'object',
    'created',
    'model',
    'provider',
    'choices',
    'service_tier',
    'usage',
  ]);
});

test('the same request gives the same text, tokens and cost, streamed or not', async () => {
  const [first, second] = [await jsonOf(await post({})), await jsonOf(await post({}))];
  expect(second['choices']).toStrictEqual(first['choices']);
  expect(second['usage']).toStrictEqual(first['usage']);
  expect(second['id']).not.toBe(first['id']);
  const { events } = await streamOf(await post({ stream: true }));
  const text = events.map((event) => event['choices'][0]?.['delta']['content']).join('');
  expect(text).toBe(first['choices'][0]?.['message']['content']);
  expect(events.at(-1)?.['usage']).toStrictEqual(first['usage']);
  const other = await jsonOf(await post({ temperature: 0.3 }));
  expect(other['choices'][0]?.['message']['content']).not.toBe(first['choices'][0]?.['message']['content']);
});

test('max_tokens cuts the answer and says so; stop ends it quietly', async () => {
  const cut = await jsonOf(await post({ max_tokens: 6 }));
  expect(cut['choices'][0]?.['finish_reason']).toBe('length');
  expect(cut['usage']['completion_tokens']).toBeLessThanOrEqual(6);
  const stopped = await jsonOf(await post({ stop: ['lighthouses'] }));
  expect(stopped['choices'][0]?.['finish_reason']).toBe('stop');
  expect(stopped['choices'][0]?.['message']['content']).not.toContain('lighthouses');
});

test('words with digits, hyphens or capitals only are never echoed', async () => {
  const content = 'CANARY secret-7f3a9 canary_42 tok3n write about whales';
  const body = await jsonOf(await post({ messages: [{ role: 'user', content }] }));
  const text = body['choices'][0]?.['message']['content'] ?? '';
  expect(text).toContain('whales');
  expect(text).not.toMatch(/canary|7f3a9|tok3n/i);
});

test('image models answer with a real PNG of the asked shape', async () => {
  const request = { model: 'google/gemini-2.5-flash-image', modalities: ['image', 'text'] };
  const body = await jsonOf(await post({ ...request, image_config: { aspect_ratio: '16:9' } }));
  const url = body['choices'][0]?.['message']['images'][0]?.['image_url']['url'] ?? '';
  expect(url).toMatch(/^data:image\/png;base64,/);
  const picture = PNG.sync.read(Buffer.from(url.split(',')[1] ?? '', 'base64'));
  expect([picture.width, picture.height]).toStrictEqual([1344, 768]);
  expect(new Set(picture.data.subarray(0, 4_000_000)).size).toBeGreaterThan(20);
  expect(body['usage']['completion_tokens_details']['image_tokens']).toBe(1_270);
  const { events } = await streamOf(await post({ ...request, image_config: { aspect_ratio: '16:9' }, stream: true }));
  const deltas = events.flatMap((event) => event['choices'][0]?.['delta']['images'] ?? []);
  expect(deltas.map((image) => image['image_url']['url'])).toStrictEqual([url]);
});

test('modalities that a model does not write answer 404 with the step that failed', async () => {
  const textOnly = await post({ modalities: ['image'] });
  expect(textOnly.status).toBe(404);
  expect((await jsonOf(textOnly))['error']['metadata']['failed_routing_step']).toBe('Filter by Model Output Modalities');
  const imageOnly = await post({ model: 'black-forest-labs/flux.2-pro', modalities: ['image', 'text'] });
  expect((await jsonOf(imageOnly))['error']['message']).toBe(
    'No endpoints found that support the requested output modalities: image, text',
  );
});

test('structured outputs satisfy their schema, tools are called when they must be', async () => {
  const schema = {
    type: 'object',
    required: ['title', 'score', 'tags'],
    properties: {
      title: { type: 'string' },
      score: { type: 'integer', minimum: 1, maximum: 5 },
      tags: { type: 'array', items: { enum: ['a', 'b'] } },
    },
  };
  const format = { type: 'json_schema', json_schema: { name: 'x', strict: true, schema } };
  const body = await jsonOf(await post({ response_format: format }));
  const value = JSON.parse(body['choices'][0]?.['message']['content'] ?? '') as Loose;
  expect(Object.keys(value)).toStrictEqual(['title', 'score', 'tags']);
  expect(value['score']).toBeGreaterThanOrEqual(1);
  const tools = [{ type: 'function', function: { name: 'look_up', parameters: schema } }];
  const called = await jsonOf(await post({ tools, tool_choice: 'required' }));
  expect(called['choices'][0]?.['finish_reason']).toBe('tool_calls');
  expect(called['choices'][0]?.['message']['tool_calls'][0]?.['function']['name']).toBe('look_up');
});

test('/models lists text models, all of them on demand, and answers 304 to its own ETag', async () => {
  const response = await get('/models');
  const listed = await jsonOf(response);
  expect(listed['total_count']).toBe(listed['data'].length);
  expect(listed['links']['next']).toBe(null);
  expect(listed['data'].every((model) => String(model['architecture']['output_modalities']).includes('text'))).toBe(true);
  const all = await jsonOf(await get('/models?output_modalities=all'));
  expect(all['total_count']).toBeGreaterThan(listed['total_count']);
  expect(response.headers.get('cache-control')).toContain('max-age=300');
  const etag = response.headers.get('etag') ?? '';
  const again = await fetch(`${simulator.url}/models`, { headers: { 'if-none-match': etag } });
  expect(again.status).toBe(304);
  const page = await jsonOf(await get('/models?limit=10&offset=20'));
  expect(page['data'].map((model) => model['id'])).toStrictEqual(listed['data'].slice(20, 30).map((model) => model['id']));
  expect(page['links']['next']).toBe('/api/v1/models?limit=10&offset=30');
});

test('generations appear after their delay and only for their account', async () => {
  const { id, usage } = await jsonOf(await post({}));
  expect((await get(`/generation?id=${id}`)).status).toBe(404);
  clock.at += 300;
  const found = await jsonOf(await get(`/generation?id=${id}`));
  expect(found['data']['total_cost']).toBe(usage['cost']);
  expect(found['data']['native_tokens_completion']).toBe(usage['completion_tokens']);
  expect((await get(`/generation?id=${id}`, simulator.keys.nearlyEmpty)).status).toBe(404);
});

test('prices change and models retire while it runs', async () => {
  const before = await jsonOf(await post({}));
  simulator.control.changePrice(MODEL, { prompt: '0.001', completion: '0.002' });
  const after = await jsonOf(await post({}));
  expect(after['usage']['cost']).toBeGreaterThan(before['usage']['cost']);
  simulator.control.retireModel(MODEL);
  const retired = await post({});
  expect(retired.status).toBe(404);
  expect((await jsonOf(retired))['error']['availability']['code']).toBe('model_deprecated');
  const fallback = await jsonOf(await post({ models: ['openai/gpt-4.1'] }));
  expect(fallback['model']).toMatch(/^openai\/gpt-4\.1-\d+/);
});

test('requests are recorded with headers and body', async () => {
  await post({ user: 'someone' }, { headers: { 'http-referer': 'https://farebox.example' } });
  const [recorded] = simulator.control.requests;
  expect(recorded?.path).toBe('/api/v1/chat/completions');
  expect(recorded?.headers['http-referer']).toBe('https://farebox.example');
  expect((recorded?.body as Loose)['user']).toBe('someone');
});

test('a client that leaves is billed for what it got, and the generation is cancelled', async () => {
  simulator.control.setLatency({ tokensPerSecond: 200 });
  const controller = new AbortController();
  const response = await post({ stream: true }, { signal: controller.signal });
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let seen = '';
  while (!seen.includes('"content":"[')) {
    seen += decoder.decode((await reader?.read())?.value, { stream: true });
  }
  controller.abort();
  simulator.control.setLatency({ tokensPerSecond: 0 });
  const id = response.headers.get('x-generation-id');
  const findStored = async (): Promise<Loose> => {
    clock.at += 300;
    const found = await get(`/generation?id=${id}`);
    return found.ok ? jsonOf(found) : findStored();
  };
  const stored = await findStored();
  const full = await jsonOf(await post({}));
  expect(stored['data']['cancelled']).toBe(true);
  expect(stored['data']['total_cost']).toBeLessThan(full['usage']['cost']);
  expect(simulator.control.getBalance(simulator.keys.healthy).reservedUsd).toBe('0');
});

test('streams can be cut at any byte', async () => {
  const whole = await streamOf(await post({ stream: true }));
  simulator.control.setSplitBytes(7);
  const split = await streamOf(await post({ stream: true }));
  expect(split.events.length).toBe(whole.events.length);
});

test('unknown paths, methods, models and bodies get OpenRouter errors', async () => {
  expect((await get('/nowhere')).status).toBe(404);
  expect((await get('/chat/completions')).status).toBe(405);
  const cases: [Record<string, unknown>, number][] = [
    [{ model: 'nobody/nothing' }, 400],
    [{ messages: undefined }, 400],
    [{ messages: [] }, 400],
    [{ temperature: 9 }, 400],
    [{ max_tokens: 100_000_000 }, 400],
    [{ model: 'openai/gpt-3.5-turbo-0613' }, 404],
    [{ provider: { max_price: { prompt: 0.0001 } } }, 404],
    [{ provider: { only: ['somebody'] } }, 404],
  ];
  for (const [body, status] of cases) {
    const response = await post(body);
    const { error } = await jsonOf(response);
    expect({ body, status: response.status, code: error['code'] }).toStrictEqual({ body, status, code: status });
  }
});
