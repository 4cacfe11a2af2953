import { expect, test } from 'vitest';
import { readSnapshot } from '#models/index.ts';
import { readAnswer } from '../../tests/support/read-simulator-answer.ts';
import { withMediaModels } from './media/media-models.ts';
import { useSimulator } from '../../tests/support/use-simulator.ts';

const MODEL = 'openai/gpt-4.1-mini';
const clock = { at: Date.UTC(2026, 10, 21, 12), now: () => clock.at };
const simulator = useSimulator({ clock });

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

interface Listed {
  data: { id: string; architecture: { output_modalities: string[] } }[];
  total_count: number;
  links: { next: string | null };
}

interface StoredGeneration {
  data: { total_cost: number; native_tokens_completion: number; cancelled: boolean };
}

async function read<T>(response: Response | Promise<Response>): Promise<T> {
  return (await (await response).json()) as T;
}

test('/models lists text models, all of them on demand, and answers 304 to its own ETag', async () => {
  const response = await get('/models');
  const listed = await read<Listed>(response);
  expect(listed.total_count).toBe(listed.data.length);
  expect(listed.links.next).toBe(null);
  expect(listed.data.every((model) => model.architecture.output_modalities.includes('text'))).toBe(true);
  const all = await read<Listed>(get('/models?output_modalities=all'));
  expect(all.total_count).toBeGreaterThan(listed.total_count);
  const { models } = await readSnapshot();
  expect(JSON.stringify(all.data)).toBe(JSON.stringify(withMediaModels(models)));
  expect(response.headers.get('cache-control')).toContain('max-age=300');
  const etag = response.headers.get('etag') ?? '';
  const again = await fetch(`${simulator.url}/models`, { headers: { 'if-none-match': etag } });
  expect(again.status).toBe(304);
  const page = await read<Listed>(get('/models?limit=10&offset=20'));
  expect(page.data.map((model) => model.id)).toStrictEqual(listed.data.slice(20, 30).map((model) => model.id));
  expect(page.links.next).toBe('/api/v1/models?limit=10&offset=30');
});

test('/models lists those of one category, the same ones each time', async () => {
  const idsOf = async (query: string) => (await read<Listed>(get(`/models?${query}`))).data.map(({ id }) => id);
  const [all, coding, marketing, seo] = await Promise.all(
    ['', 'category=programming', 'category=marketing', 'category=marketing/seo'].map(idsOf),
  );
  for (const [part, whole] of [
    [coding, all],
    [marketing, all],
    [seo, marketing],
  ]) {
    expect(part?.length).toBeGreaterThan(0);
    expect(part?.length).toBeLessThan(whole?.length ?? 0);
    expect(whole).toEqual(expect.arrayContaining(part ?? []));
  }
  expect(await idsOf('category=programming')).toEqual(coding);
  expect(await read(get('/models/count?category=marketing'))).toEqual({ data: { count: marketing?.length } });
  expect((await get('/models?category=cooking')).status).toBe(400);
});

test('generations appear after their delay and only for their account', async () => {
  const { id, usage } = await readAnswer(await post({}));
  expect((await get(`/generation?id=${id}`)).status).toBe(404);
  clock.at += 300;
  const found = await read<StoredGeneration>(get(`/generation?id=${id}`));
  expect(found.data.total_cost).toBe(usage.cost);
  expect(found.data.native_tokens_completion).toBe(usage.completion_tokens);
  expect((await get(`/generation?id=${id}`, simulator.keys.nearlyEmpty)).status).toBe(404);
});

test('prices change and models retire while it runs', async () => {
  const before = await readAnswer(await post({}));
  simulator.control.changePrice(MODEL, { prompt: '0.001', completion: '0.002' });
  const after = await readAnswer(await post({}));
  expect(after.usage.cost).toBeGreaterThan(before.usage.cost);
  simulator.control.retireModel(MODEL);
  const retired = await post({});
  expect(retired.status).toBe(404);
  expect((await readAnswer(retired)).error.availability['code']).toBe('model_deprecated');
  const fallback = await readAnswer(await post({ models: ['openai/gpt-4.1'] }));
  expect(fallback.model).toMatch(/^openai\/gpt-4\.1-\d+/);
});

test('requests are recorded with headers and body', async () => {
  await post({ user: 'someone' }, { headers: { 'http-referer': 'https://farebox.example' } });
  const [recorded] = simulator.control.requests;
  expect(recorded?.path).toBe('/api/v1/chat/completions');
  expect(recorded?.headers['http-referer']).toBe('https://farebox.example');
  expect(recorded?.body).toMatchObject({ user: 'someone' });
});

test('a client that leaves is billed for what it got, and the generation is cancelled', async () => {
  simulator.control.setLatency({ tokensPerSecond: 200 });
  const controller = new AbortController();
  const response = await post({ stream: true }, { signal: controller.signal });
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let seen = '';
  let isDone = false;
  while (!isDone && !seen.includes('"content":"[')) {
    const chunk = await reader?.read();
    isDone = chunk?.done ?? true;
    seen += decoder.decode(chunk?.value, { stream: true });
  }
  expect(isDone).toBe(false);
  controller.abort();
  simulator.control.setLatency({ tokensPerSecond: 0 });
  const id = response.headers.get('x-generation-id');
  await expect
    .poll(async () => {
      clock.at += 300;
      return (await get(`/generation?id=${id}`)).status;
    })
    .toBe(200);
  const stored = await read<StoredGeneration>(get(`/generation?id=${id}`));
  const full = await readAnswer(await post({}));
  expect(stored.data.cancelled).toBe(true);
  expect(stored.data.total_cost).toBeLessThan(full.usage.cost);
  expect(simulator.control.getBalance(simulator.keys.healthy).reservedUsd).toBe('0');
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
    const { error } = await readAnswer(response);
    expect({ body, status: response.status, code: error.code }).toStrictEqual({ body, status, code: status });
  }
});
