import { beforeAll, expect, test } from 'vitest';
import { countRuns } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp();
let creator: Creator;
let id: string;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
  const { body } = await creator.call('POST', '/api/resources', {
    slug: 'compared',
    kind: 'openrouter_instant',
    parameters: [{ name: 'topic', description: 'Any topic.', maxLength: 200 }],
    config: { modelId: 'openai/gpt-4o-mini', systemPrompt: 'Write about {topic}{/topic}.', maxTokens: 120 },
  });
  id = String(body['id']);
});

const compare = (owner: Creator, asked: object) => owner.call('POST', `/api/resources/${id}/compare`, asked);
const models = ['openai/gpt-4o-mini', 'anthropic/claude-haiku-4.5'];

test('models are asked the same inputs, and each answer comes with its tokens, cost and time', async () => {
  const inputs = [{ topic: 'rain on roofs' }, { topic: 'snow on roofs' }];
  const { status, body } = await compare(creator, { models, inputs });
  expect(status).toBe(200);
  const columns = body['models'] as { model: string; results: Record<string, unknown>[]; costUsd: string }[];
  expect(columns.map(({ model }) => model)).toEqual(models);
  const answers = columns.flatMap(({ results }) =>
    results.map(({ answer }) => answer as { json: { response: string } }),
  );
  expect(new Set(answers.map(({ json }) => json.response)).size).toBe(4);
  for (const { model, results, costUsd } of columns) {
    const isOf = (word: string) => ({
      contentType: 'application/json',
      json: {
        response: expect.stringContaining(word),
        model: expect.stringContaining(model),
        usage: { output_tokens: expect.any(Number) },
      },
    });
    expect(results).toMatchObject([
      {
        ok: true,
        answer: isOf('rain'),
        costUsd: expect.any(String),
        latencyMs: expect.any(Number),
        evidence: { inputTokens: expect.any(Number) },
      },
      { ok: true, answer: isOf('snow') },
    ]);
    expect(Number(costUsd)).toBeCloseTo(
      results.reduce((sum, one) => sum + Number(one['costUsd']), 0),
      12,
    );
    expect(Number(costUsd)).toBeLessThanOrEqual(Number(body['worstCostUsd']));
  }
  expect([countRuns(app.current, 'rain on roofs'), countRuns(app.current, 'snow on roofs')]).toEqual([2, 2]);
});

test('a model that is not there is told beside the answers of the others', async () => {
  const { body } = await compare(creator, { models: [models[0], 'nobody/none'], inputs: [{ topic: 'one of two' }] });
  expect(body['models']).toMatchObject([
    { problems: [], answered: 1 },
    { problems: [{ path: '/config/modelId' }], results: [], answered: 0 },
  ]);
  expect(countRuns(app.current, 'one of two')).toBe(1);
});

test('nothing is run where all runs together may cost more than is allowed', async () => {
  const refused = await compare(creator, { models, inputs: [{ topic: 'too dear' }], maxCostUsd: '0.000001' });
  expect(refused).toMatchObject({ status: 422, body: { errors: [{ path: '/maxCostUsd' }] } });
  expect(countRuns(app.current, 'too dear')).toBe(0);
});

test('an input that does not fit, and the resource of somebody else, are refused before anything is run', async () => {
  const wrong = await compare(creator, { models, inputs: [{ topic: 'fits well' }, { subject: 'does not' }] });
  expect(wrong).toMatchObject({ status: 400, body: { errors: [{ path: expect.stringMatching(/^\/inputs\/1/) }, {}] } });
  const other = await app.current.makeCreator('other');
  expect(await compare(other, { models, inputs: [{ topic: 'fits well' }] })).toMatchObject({ status: 404 });
  expect(countRuns(app.current, 'fits well')).toBe(0);
});

test('a model whose cost nobody knows before it is not run within a bound', async () => {
  const inputs = [{ topic: 'nobody knows' }];
  const asked = { models: [models[0], 'openrouter/auto'], inputs };
  const refused = await compare(creator, { ...asked, maxCostUsd: '9' });
  expect(refused).toMatchObject({ status: 422, body: { errors: [{ path: '/maxCostUsd' }] } });
  expect(countRuns(app.current, 'nobody knows')).toBe(0);
  const unbounded = await compare(creator, { ...asked, maxCostUsd: null });
  expect(unbounded).toMatchObject({ status: 200, body: { worstCostUsd: null } });
});
