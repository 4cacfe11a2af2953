import { expect, test } from 'vitest';
import { useSimulator } from '../../tests/support/use-simulator.ts';

const simulator = useSimulator();

interface Answer {
  model: string;
  provider: string;
  usage: { cost: number; cost_details: Record<string, number>; server_tool_use_details?: Record<string, number> };
  error?: { message: string };
}

async function ask(model: string): Promise<{ status: number; body: Answer }> {
  const response = await fetch(`${simulator.url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${simulator.keys.healthy}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Say hello.' }], max_tokens: 20 }),
  });
  return { status: response.status, body: (await response.json()) as Answer };
}

test.each(['nitro', 'floor', 'exacto', 'online', 'nitro:online'])(
  'the routing suffix :%s stands behind any model',
  async (suffix) => {
    const { status, body } = await ask(`openai/gpt-4o-mini:${suffix}`);
    expect([status, body.model]).toEqual([200, expect.stringMatching(/^openai\/gpt-4o-mini-\d+$/)]);
  },
);

test.each(['free', 'extended', 'thinking', 'batch', 'nonsense'])(
  'the suffix :%s is an entry of the catalogue or no model',
  async (suffix) => {
    const { status, body } = await ask(`openai/gpt-4o-mini:${suffix}`);
    expect([status, body.error?.message]).toEqual([400, `openai/gpt-4o-mini:${suffix} is not a valid model ID`]);
  },
);

test.each(['OpenAI/GPT-4o-mini', 'openrouter/openai/gpt-4o-mini', 'https://openrouter.ai/openai/gpt-4o-mini'])(
  'OpenRouter does not know %s',
  async (name) => {
    expect((await ask(name)).status).toBe(400);
  },
);

test('a web search is billed beside the tokens, a fast provider may be dearer', async () => {
  const plain = await ask('openai/gpt-4o-mini');
  const online = await ask('openai/gpt-4o-mini:online');
  const fast = await ask('openai/gpt-4o-mini:nitro');
  expect(online.body.usage.server_tool_use_details).toEqual({ web_search_requests: 1 });
  expect(online.body.usage.cost_details['server_tool_cost']).toBe(0.007);
  expect(online.body.usage.cost).toBeGreaterThan(plain.body.usage.cost + 0.007);
  expect(fast.body.usage.cost).toBeGreaterThan(plain.body.usage.cost);
  expect(fast.body.provider).not.toBe(plain.body.provider);
});

test('presets stand alone or behind a model', async () => {
  expect((await ask('@preset/house-style')).status).toBe(200);
  expect((await ask('openai/gpt-4o-mini@preset/house-style')).body.model).toMatch(/^openai\/gpt-4o-mini-/);
  expect((await ask('openai/gpt-4o-mini:floor@preset/house-style')).status).toBe(200);
});
