import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSnapshot } from '#models/index.ts';
import { startOpenRouterSimulator, type OpenRouterSimulator } from '#sandbox/index.ts';
import { compareShapes } from '../support/compare-shapes.ts';

/**
 * Asks the real OpenRouter what the simulator is asked too, and says in words where their answers differ in form. Off
 * without OPENROUTER_LIVE_KEY; eight requests, those that run a model on a free one.
 */
const key = process.env['OPENROUTER_LIVE_KEY'] ?? '';
const REAL = 'https://openrouter.ai/api/v1';
const FREE_MODEL = process.env['OPENROUTER_LIVE_MODEL'] ?? 'google/gemma-4-31b-it:free';

let simulator: OpenRouterSimulator;
beforeAll(async () => {
  const { models } = await readSnapshot();
  simulator = await startOpenRouterSimulator({ port: 0, catalogue: models, generationDelayMs: 0 });
});
afterAll(() => simulator.stop());

async function send(place: { url: string; key: string }, path: string, body?: unknown): Promise<unknown[]> {
  const response = await fetch(`${place.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${place.key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  const values = isStream
    ? [...text.matchAll(/^data: (\{.*)$/gm)].map(([, event = '{}']) => JSON.parse(event) as unknown)
    : [JSON.parse(text) as unknown];
  return values.map((value) => ({ status: response.status, body: value }));
}

const chat = { model: FREE_MODEL, messages: [{ role: 'user', content: 'Say hello.' }], max_tokens: 200 };

const requests: [name: string, path: string, body?: Record<string, unknown>][] = [
  ['the list of models', '/models?limit=20'],
  ['the endpoints of a model', '/models/openai/gpt-4.1-mini/endpoints'],
  ['the key', '/key'],
  ['credits, which an ordinary key may not read', '/credits'],
  ['a JSON answer', '/chat/completions', chat],
  ['a stream', '/chat/completions', { ...chat, stream: true }],
  ['an unknown model', '/chat/completions', { ...chat, model: 'nobody/nothing' }],
  [
    'a price bound that nobody meets',
    '/chat/completions',
    { ...chat, model: 'openai/gpt-4.1-mini', provider: { max_price: { prompt: '0.000001' } } },
  ],
];

describe.skipIf(key === '')('the real OpenRouter', () => {
  test.each(requests)('%s has the form of the simulator’s', async (_name, path, body) => {
    const real = await send({ url: REAL, key }, path, body);
    const simulated = await send({ url: simulator.url, key: simulator.keys.healthy }, path, body);
    expect(compareShapes(real, simulated)).toEqual([]);
  });
});

test('all that is asked of the real one can be asked of the simulator', async () => {
  for (const [name, path, body] of requests) {
    const [first] = (await send({ url: simulator.url, key: simulator.keys.healthy }, path, body)) as {
      status: number;
    }[];
    expect({ name, status: first?.status }).toEqual({ name, status: expected[name] ?? 200 });
  }
});

const expected: Record<string, number> = {
  'credits, which an ordinary key may not read': 403,
  'an unknown model': 400,
  'a price bound that nobody meets': 404,
};
