import { describe, expect, test } from 'vitest';
import { askSimulator, type Question } from '../../tests/support/ask-simulator.ts';
import { useSimulator } from '../../tests/support/use-simulator.ts';

const simulator = useSimulator({ generationDelayMs: 0 });

interface Routed {
  model: string;
  provider: string;
  openrouter_metadata: { strategy: string; attempt: number; attempts: unknown[]; endpoints: { total: number } };
  error: {
    message: string;
    metadata: Record<string, unknown>;
    availability?: Record<string, unknown>;
  };
}

async function route(body: Record<string, unknown>, question: Question = {}) {
  const headers = { 'x-openrouter-metadata': 'enabled', ...question.headers };
  const response = await askSimulator(simulator, body, { ...question, headers });
  return { status: response.status, ...((await response.json()) as Routed) };
}

describe('preferences of providers', () => {
  test.each([
    ['nothing is preferred: the cheapest answers', {}, 'Simulated'],
    ['order', { order: ['simulated-plus', 'simulated'] }, 'Simulated Plus'],
    ['only', { only: ['simulated-private'] }, 'Simulated Private'],
    ['ignore', { ignore: ['simulated'] }, 'Simulated Private'],
    ['sort by throughput', { sort: 'throughput' }, 'Simulated Plus'],
    ['sort by latency, as an object', { sort: { by: 'latency' } }, 'Simulated Private'],
    ['sort by price', { sort: 'price', ignore: ['simulated'] }, 'Simulated Private'],
    ['sort by how well tools are called', { sort: 'exacto', ignore: ['simulated'] }, 'Simulated Plus'],
    ['sort over all models', { sort: { by: 'throughput', partition: 'none' } }, 'Simulated Plus'],
    ['order before sort', { order: ['simulated-private'], sort: 'throughput' }, 'Simulated Private'],
    ['order with others left out', { order: ['nobody', 'simulated-plus'], allow_fallbacks: false }, 'Simulated Plus'],
    ['only and ignore together', { only: ['simulated', 'simulated-plus'], ignore: ['simulated'] }, 'Simulated Plus'],
    ['a price bound of a request', { max_price: { request: '0', image: 0, audio: '1' } }, 'Simulated'],
    ['zero data retention', { zdr: true }, 'Simulated Private'],
    ['no training on the data', { data_collection: 'deny', sort: 'throughput' }, 'Simulated Plus'],
    ['a quantization', { quantizations: ['bf16'] }, 'Simulated Plus'],
    ['a quantization that nobody tells', { quantizations: ['unknown'] }, 'Simulated'],
    ['a throughput that is preferred', { preferred_min_throughput: 100 }, 'Simulated Plus'],
    ['a latency that is preferred', { preferred_max_latency: { p50: 0.3 } }, 'Simulated Private'],
    ['a price bound as text', { max_price: { prompt: '0.41' }, sort: 'throughput' }, 'Simulated'],
    ['a price bound as a number', { max_price: { completion: 1.8 }, sort: 'latency' }, 'Simulated Private'],
  ])('%s', async (_name, provider, expected) => {
    expect(await route({ provider })).toMatchObject({ status: 200, provider: expected });
  });

  test('parameters that must be known leave out who does not know them', async () => {
    const provider = { require_parameters: true, ignore: ['simulated'] };
    expect((await route({ provider })).provider).toBe('Simulated Private');
    expect((await route({ provider, seed: 0 })).provider).toBe('Simulated Plus');
  });

  test('the policy of the account binds each of its requests', async () => {
    simulator.control.setAccount(simulator.keys.healthy, { zdr: true });
    expect((await route({})).provider).toBe('Simulated Private');
  });
});

describe('routes that lead nowhere', () => {
  test.each([
    ['Filter by Allowed Providers', 'allowed_providers', { only: ['somebody'] }],
    ['Filter by Max Price', 'max_price', { max_price: { prompt: '0.0001' } }],
    ['Filter by Allowed Providers', 'allowed_providers', { order: ['somebody'], allow_fallbacks: false }],
    [
      'Filter by Allowed Providers',
      'allowed_providers',
      { ignore: ['simulated', 'simulated-private', 'simulated-plus'] },
    ],
    ['Filter by Quantization', 'quantization', { quantizations: ['int4'] }],
    [
      'Filter by Parameters',
      'require_parameters',
      { require_parameters: true },
      { logit_bias: { 1: 1 }, top_k: 1, top_logprobs: 2, response_format: { type: 'json_schema' } },
    ],
    ['Filter by Guardrails', 'data_policy:zdr', { zdr: true }],
  ])('%s says so, with the funnel and what excluded the providers', async (...[step, excludedBy, provider, more]) => {
    const model = step === 'Filter by Guardrails' ? 'google/gemma-4-26b-a4b-it:free' : 'openai/gpt-4.1-mini';
    const { status, error } = await route({ model, provider, ...more });
    expect(status).toBe(404);
    expect(error.metadata).toMatchObject({ error_type: 'not_found', failed_routing_step: step });
    expect(error.availability).toMatchObject({
      retryable: false,
      excluded_by: excludedBy,
      requested_models: [model],
    });
    const funnel = error.metadata['routing_funnel'] as { step: string; endpoint_count: number }[];
    expect(funnel.at(-1)).toEqual({ step, endpoint_count: 0 });
    expect(funnel[0]?.endpoint_count).toBeGreaterThan(0);
  });

  test('an unknown model is told as one that is not available', async () => {
    const { status, error } = await route({ model: 'nobody/nothing' });
    expect(status).toBe(400);
    expect(error.availability).toEqual({
      code: 'model_not_found',
      retryable: false,
      requested_models: ['nobody/nothing'],
    });
  });

  test('more tokens than any provider writes are not cut down in silence', async () => {
    const { status, error } = await route({ max_tokens: 40_000 });
    expect(status).toBe(404);
    expect(error.metadata['failed_routing_step']).toBe('Filter by Parameters');
  });
});

describe('fallbacks', () => {
  test('a provider that is down is passed over, and the attempt is told', async () => {
    simulator.control.setProviderDown('simulated');
    const answer = await route({});
    expect(answer.provider).toBe('Simulated Private');
    expect(answer.openrouter_metadata).toMatchObject({
      strategy: 'fallback',
      attempt: 2,
      attempts: [
        { provider: 'Simulated', status: 503 },
        { provider: 'Simulated Private', status: 200 },
      ],
      endpoints: { total: 3 },
    });
  });

  test('without fallbacks it ends there, as 503', async () => {
    simulator.control.setProviderDown('simulated');
    const provider = { order: ['simulated'], allow_fallbacks: false };
    expect((await route({ provider })).status).toBe(503);
    expect((await route({ provider: { ...provider, allow_fallbacks: true } })).status).toBe(200);
  });

  test('a model whose provider fails gives way to the next of models[], which is the one that is billed', async () => {
    simulator.control.fail('503', { model: 'openai/gpt-4.1-mini' });
    const answer = await route({ models: ['openai/gpt-4.1'] });
    expect(answer.model).toMatch(/^openai\/gpt-4\.1-\d+$/);
    expect(answer.openrouter_metadata.attempts[0]).toMatchObject({ model: 'openai/gpt-4.1-mini', status: 503 });
    expect((await route({ model: 'sim/400_context_length', models: ['openai/gpt-4.1'] })).status).toBe(200);
    expect((await route({ model: 'sim/403_moderation', models: ['openai/gpt-4.1'] })).status).toBe(200);
    expect((await route({ model: 'sim/429_upstream', models: ['openai/gpt-4.1'] })).status).toBe(200);
  });

  test('what the account did wrong is not mended by another model', async () => {
    expect((await route({ model: 'sim/402_credits', models: ['openai/gpt-4.1'] })).status).toBe(402);
  });
});

test.each([
  ['sort=newest', (models: Model[]) => isDescending(models.map(({ created }) => created))],
  ['sort=pricing-low-to-high', (models: Model[]) => isDescending(models.map((model) => -price(model)))],
  ['context=900000', (models: Model[]) => models.every(({ context_length: length }) => length >= 900_000)],
  ['model_authors=openai,anthropic', (models: Model[]) => models.every(({ id }) => /^~?(openai|anthropic)\//.test(id))],
  ['min_price=1&max_price=2', (models: Model[]) => models.every((model) => price(model) >= 1 && price(model) <= 2)],
  [
    'supported_parameters=tools&q=claude',
    (models: Model[]) => models.every(({ id, name }) => /claude/i.test(id + name)),
  ],
  ['limit=3', (models: Model[]) => models.length === 3],
])('/models?%s lists only those, in that order', async (query, isRight) => {
  const listed = (await (await fetch(`${simulator.url}/models?${query}`)).json()) as { data: Model[] };
  expect(listed.data.length).toBeGreaterThan(0);
  expect(isRight(listed.data)).toBe(true);
});

interface Model {
  id: string;
  name: string;
  created: number;
  context_length: number;
  pricing: { prompt: string };
}

function price(model: Model): number {
  return Number(model.pricing.prompt) * 1_000_000;
}

function isDescending(numbers: readonly number[]): boolean {
  return numbers.every((number, at) => number <= (numbers[at - 1] ?? Infinity));
}
