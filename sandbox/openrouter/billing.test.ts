import { Big } from 'big.js';
import { expect, test } from 'vitest';
import { askSimulator, type Question } from '../../tests/support/ask-simulator.ts';
import { useSimulator } from '../../tests/support/use-simulator.ts';

const CACHED_MODEL = 'anthropic/claude-haiku-4.5';
const simulator = useSimulator({ generationDelayMs: 0 });

interface Billed {
  id: string;
  choices: { message: { annotations?: { type: string }[] } }[];
  usage: {
    prompt_tokens: number;
    completion_tokens: number;
    cost: number;
    is_byok: boolean;
    prompt_tokens_details: { cached_tokens: number; cache_write_tokens: number };
    cost_details: { upstream_inference_cost: number };
    server_tool_use_details?: { web_search_requests: number };
  };
}

async function ask(body: Record<string, unknown>, question?: Question): Promise<Billed> {
  const response = await askSimulator(simulator, body, question);
  expect(response.status).toBe(200);
  return (await response.json()) as Billed;
}

async function get<T>(path: string, key: string = simulator.keys.healthy): Promise<T> {
  const response = await fetch(`${simulator.url}${path}`, { headers: { authorization: `Bearer ${key}` } });
  return (await response.json()) as T;
}

const usageOf = (key: string): number => Number(simulator.control.getBalance(key).keyUsageUsd);

test('a hundred requests at once are all debited, to the last digit', async () => {
  const bodies = Array.from({ length: 100 }, (_, at) => ({ messages: [{ role: 'user', content: `Question ${at}` }] }));
  const answers = await Promise.all(bodies.map((body) => ask(body)));
  const total = answers.reduce((sum, { usage }) => sum.plus(usage.cost), new Big(0));
  expect(simulator.control.getBalance(simulator.keys.healthy)).toMatchObject({
    keyUsageUsd: total.toFixed(),
    creditsUsd: new Big(1_000).minus(total).toFixed(),
    reservedUsd: '0',
  });
});

test('what the real messages cost at most is refused before any work where the account cannot pay it', async () => {
  const long = 'lighthouse '.repeat(20_000);
  const response = await askSimulator(
    simulator,
    { model: 'openai/gpt-5', messages: [{ role: 'user', content: long }], max_tokens: 16 },
    { key: simulator.keys.nearlyEmpty },
  );
  expect(response.status).toBe(402);
  expect(usageOf(simulator.keys.nearlyEmpty)).toBe(0);
});

test('a picture that the account cannot pay is not drawn', async () => {
  const response = await askSimulator(
    simulator,
    { model: 'google/gemini-2.5-flash-image', modalities: ['image', 'text'], max_tokens: 16 },
    { key: simulator.keys.nearlyEmpty },
  );
  expect(response.status).toBe(402);
  expect(usageOf(simulator.keys.nearlyEmpty)).toBe(0);
});

test('the same messages in one session are read from the cache, in another they are written to it', async () => {
  const messages = [{ role: 'user', content: 'A long beginning. '.repeat(100) }];
  const first = await ask({ model: CACHED_MODEL, messages, session_id: 'one' });
  const again = await ask({ model: CACHED_MODEL, messages, session_id: 'one' });
  const other = await ask({ model: CACHED_MODEL, messages, session_id: 'two' });
  const none = await ask({ model: CACHED_MODEL, messages });
  expect(first.usage.prompt_tokens_details.cached_tokens).toBe(0);
  expect(first.usage.prompt_tokens_details.cache_write_tokens).toBeGreaterThan(400);
  expect(again.usage.prompt_tokens_details).toMatchObject({
    cached_tokens: first.usage.prompt_tokens_details.cache_write_tokens,
    cache_write_tokens: 0,
  });
  expect(other.usage.cost).toBe(first.usage.cost);
  expect(again.usage.cost).toBeLessThan(none.usage.cost);
  expect(first.usage.cost).toBeGreaterThan(none.usage.cost);
});

test('with a provider key of its own an account pays the fee, and is told what the provider takes', async () => {
  const key = simulator.keys.ownProviderKey;
  const { usage } = await ask({}, { key });
  expect(usage.is_byok).toBe(true);
  expect(usage.cost).toBeCloseTo(usage.cost_details.upstream_inference_cost * 0.05, 12);
  const described = await get<{ data: { usage: number; byok_usage: number; byok_usage_daily: number } }>('/key', key);
  expect(described.data).toMatchObject({
    usage: usage.cost,
    byok_usage: usage.cost_details.upstream_inference_cost,
    byok_usage_daily: usage.cost_details.upstream_inference_cost,
  });
});

test.each([
  ['plugin', { plugins: [{ id: 'web' }] }, 0.007],
  [
    'server tool with an engine',
    { tools: [{ type: 'openrouter:web_search', parameters: { engine: 'parallel' } }] },
    0.005,
  ],
])('a search by %s is billed beside the tokens and cited', async (_name, body, price) => {
  const { usage, choices } = await ask(body);
  expect(usage.server_tool_use_details).toMatchObject({ web_search_requests: 1 });
  expect(usage.cost - usage.cost_details.upstream_inference_cost).toBeCloseTo(price, 12);
  expect(choices[0]?.message.annotations?.[0]?.type).toBe('url_citation');
});

/** Leaves a stream after its first content, and waits until it is billed. */
async function leave(body: Record<string, unknown>): Promise<{ cancelled: boolean; total_cost: number }> {
  simulator.control.setLatency({ tokensPerSecond: 200 });
  const controller = new AbortController();
  const response = await askSimulator(simulator, { ...body, stream: true }, { signal: controller.signal });
  const reader = response.body?.getReader();
  let seen = '';
  while (!seen.includes('"content":"[')) {
    seen += Buffer.from((await reader?.read())?.value ?? []).toString();
  }
  controller.abort();
  simulator.control.setLatency({ tokensPerSecond: 0 });
  await expect.poll(() => usageOf(simulator.keys.healthy)).toBeGreaterThan(0);
  const id = response.headers.get('x-generation-id') ?? '';
  return (await get<{ data: { cancelled: boolean; total_cost: number } }>(`/generation?id=${id}`)).data;
}

test('a provider that can stop bills a client that leaves for what it got, one that cannot bills the whole', async () => {
  const stopped = await leave({});
  simulator.control.reset();
  const provider = { only: ['simulated-private'] };
  const whole = await leave({ provider });
  const full = await ask({ provider });
  expect(stopped.cancelled).toBe(true);
  expect(stopped.total_cost).toBeLessThan(full.usage.cost / 2);
  expect(whole).toMatchObject({ cancelled: true, total_cost: full.usage.cost });
});

test('limits of keys come back with their day, and so do free calls', async () => {
  const key = simulator.keys.limited;
  simulator.control.setLimitRemaining(key, '0');
  expect((await askSimulator(simulator, {}, { key })).status).toBe(402);
  simulator.control.reset();
  const { key: daily } = await make({ name: 'daily', limit: 0.0001, limit_reset: 'daily' });
  const first = await askSimulator(simulator, { max_tokens: 40 }, { key: daily });
  const second = await askSimulator(simulator, { max_tokens: 40 }, { key: daily });
  expect([first.status, second.status]).toEqual([200, 402]);
  simulator.control.advanceClock(86_400_000);
  expect((await askSimulator(simulator, { max_tokens: 40 }, { key: daily })).status).toBe(200);
});

async function make(body: Record<string, unknown>): Promise<{ key: string }> {
  const response = await fetch(`${simulator.url}/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${simulator.keys.management}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as { key: string };
}

test('what was asked and answered is found only where the account lets it be kept', async () => {
  const { id } = await ask({});
  const content = await get<{ data: { output: { completion: string } } }>(`/generation/content?id=${id}`);
  expect(content.data.output.completion).toContain('[simulated]');
  simulator.control.setAccount(simulator.keys.healthy, { keepsContent: false });
  const { id: second } = await ask({});
  expect(await get(`/generation/content?id=${second}`)).toHaveProperty('error.code', 404);
});

test('a blocked account is refused whatever its credits', async () => {
  simulator.control.setAccount(simulator.keys.healthy, { isBlocked: true });
  expect((await askSimulator(simulator)).status).toBe(403);
});
