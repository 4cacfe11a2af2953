import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { measureMedia } from '#media/index.ts';
import { readSnapshot } from '#models/index.ts';
import { startOpenRouterSimulator, type OpenRouterSimulator } from '#sandbox/index.ts';
import { compareShapes } from '../support/compare-shapes.ts';

/**
 * Asks the real OpenRouter what the simulator is asked too, and says in words where their answers differ. Skipped, with
 * that as its reason, without OPENROUTER_LIVE_KEY; eight requests, those that run a model on a free one.
 * OPENROUTER_LIVE_URL asks another place instead, which may be a simulator.
 */
const live = {
  url: process.env['OPENROUTER_LIVE_URL'] ?? 'https://openrouter.ai/api/v1',
  key: process.env['OPENROUTER_LIVE_KEY'] ?? '',
};
const FREE_MODEL = process.env['OPENROUTER_LIVE_MODEL'] ?? 'google/gemma-4-31b-it:free';

interface Place {
  url: string;
  key: string;
}

let simulator: OpenRouterSimulator;
/** Stands where the real one stands otherwise. */
let other: OpenRouterSimulator;
beforeAll(async () => {
  const { models } = await readSnapshot();
  const options = { port: 0, measure: measureMedia, catalogue: models, generationDelayMs: 0 };
  simulator = await startOpenRouterSimulator(options);
  other = await startOpenRouterSimulator({ ...options, seed: 'another' });
});
afterAll(() => Promise.all([simulator.stop(), other.stop()]));

async function send(place: Place, path: string, body?: unknown): Promise<Sent[]> {
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

interface Sent {
  status: number;
  body: unknown;
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

/** What differs between that place and the simulator, one sentence each. */
async function compare(place: Place, path: string, body?: unknown): Promise<string[]> {
  const there = await send(place, path, body);
  const here = await send({ url: simulator.url, key: simulator.keys.healthy }, path, body);
  const [theirs, ours] = [there[0]?.status, here[0]?.status];
  return [
    ...(theirs === ours ? [] : [`OpenRouter answers ${theirs}, the simulator ${ours}`]),
    ...compareShapes(there, here),
  ];
}

test.for(requests)('the real OpenRouter: %s has the form of the simulator’s', async ([, path, body], { skip }) => {
  skip(live.key === '', 'nobody asked OpenRouter: OPENROUTER_LIVE_KEY is not set');
  expect(await compare(live, path, body)).toEqual([]);
});

describe('without the real one', () => {
  const place = (): Place => ({ url: other.url, key: other.keys.healthy });

  test.each(requests)('%s does not differ where a simulator stands in its place', async (...[, path, body]) => {
    expect(await compare(place(), path, body)).toEqual([]);
  });

  test('what differs is told in words', async () => {
    other.control.fail('429_upstream');
    expect(await compare(place(), '/chat/completions', chat)).toEqual(
      expect.arrayContaining([
        'OpenRouter answers 429, the simulator 200',
        'OpenRouter sends body.error, the simulator does not',
        'the simulator sends body.choices, OpenRouter did not',
      ]),
    );
  });
});

test('all that is asked of the real one can be asked of the simulator', async () => {
  for (const [name, path, body] of requests) {
    const [first] = await send({ url: simulator.url, key: simulator.keys.healthy }, path, body);
    expect({ name, status: first?.status }).toEqual({ name, status: expected[name] ?? 200 });
  }
});

const expected: Record<string, number> = {
  'credits, which an ordinary key may not read': 403,
  'an unknown model': 400,
  'a price bound that nobody meets': 404,
};
