import { beforeAll, expect, test } from 'vitest';
import { askChecked } from '../../tests/support/openrouter-openapi/ask-checked.ts';
import { openAnswerCheck } from '../../tests/support/openrouter-openapi/check-answer.ts';
import type { AnswerCheck } from '../../tests/support/openrouter-openapi/check-answer.ts';
import { mediaCases } from '../../tests/support/openrouter-openapi/media-cases.ts';
import type { OpenApiCase, Sent } from '../../tests/support/openrouter-openapi/media-cases.ts';
import { useSimulator } from '../../tests/support/use-simulator.ts';

/** Every success of the simulator, and what it refuses by itself, against OpenRouter's own OpenAPI document. */

const MODEL = 'anthropic/claude-haiku-4.5';
const simulator = useSimulator({ generationDelayMs: 0 });
let openApi: AnswerCheck;

beforeAll(async () => {
  openApi = await openAnswerCheck();
});

const send = (method: string, path: string, sent?: Sent) => askChecked({ simulator, openApi }, [method, path], sent);

const bodies: Record<string, Record<string, unknown>> = {
  '/chat/completions': { model: MODEL, messages: [{ role: 'user', content: 'Tell me about lighthouses' }] },
  '/responses': { model: MODEL, input: 'Tell me about lighthouses' },
  '/messages': { model: MODEL, max_tokens: 300, messages: [{ role: 'user', content: 'Tell me about lighthouses' }] },
};

const asManager = (): Sent => ({ key: simulator.keys.management });

const reads: OpenApiCase[] = [
  ['the models', 'GET', '/models?output_modalities=all', 200],
  ['the models of an account', 'GET', '/models/user', 200],
  ['models in an order that does not exist', 'GET', '/models?sort=nonsense', 400],
  ['the number of models', 'GET', '/models/count', 200],
  ['one model', 'GET', `/model/${MODEL}`, 200],
  ['no model', 'GET', '/model/nobody/nothing', 404],
  ['the endpoints of a model', 'GET', `/models/${MODEL}/endpoints`, 200],
  ['the endpoints of no model', 'GET', '/models/nobody/nothing/endpoints', 404],
  ['endpoints that keep nothing', 'GET', '/endpoints/zdr', 200],
  ['providers', 'GET', '/providers', 200],
  ['the key of the caller', 'GET', '/key', 200],
  ['an unknown key', 'GET', '/key', 401, () => ({ key: 'sk-or-v1-nobody' })],
  ['credits', 'GET', '/credits', 200, asManager],
  ['credits for an ordinary key', 'GET', '/credits', 403],
  ['keys', 'GET', '/keys', 200, asManager],
  ['keys for an ordinary key', 'GET', '/keys', 401],
  ['keys from nowhere on', 'GET', '/keys?offset=-1', 400, asManager],
  ['a code for a key', 'POST', '/auth/keys/code', 200, () => ({ body: { callback_url: 'https://shop.example/back' } })],
  ['a code for nowhere', 'POST', '/auth/keys/code', 400, () => ({ body: {} })],
  ['a code for nobody', 'POST', '/auth/keys/code', 401, () => ({ key: 'sk-or-v1-nobody', body: {} })],
  ['a code in an unknown method', 'POST', '/auth/keys', 400, () => ({ body: { code_challenge_method: 'S1' } })],
  ['a code that nobody gave', 'POST', '/auth/keys', 403, () => ({ body: { code: 'auth_code_none' } })],
  ['a key without a name', 'POST', '/keys', 400, () => ({ ...asManager(), body: {} })],
  ['no key of this hash', 'GET', '/keys/abc', 404, asManager],
  ['no generation', 'GET', '/generation?id=gen-nothing', 404],
  ['no content of a generation', 'GET', '/generation/content?id=gen-nothing', 404],
  ['activity', 'GET', '/activity', 200, asManager],
  ['keys of providers', 'GET', '/byok', 200, asManager],
  ['guardrails', 'GET', '/guardrails', 200, asManager],
  ['keys with guardrails', 'GET', '/guardrails/assignments/keys', 200, asManager],
  ['members with guardrails', 'GET', '/guardrails/assignments/members', 200, asManager],
  ['presets', 'GET', '/presets', 200],
  ['workspaces', 'GET', '/workspaces', 200, asManager],
  ['files', 'GET', '/files', 200],
  ['members', 'GET', '/organization/members', 200, asManager],
  ['observability', 'GET', '/observability/destinations', 200, asManager],
];

test.each(reads)('%s: %s %s answers %i as the document says', async (...[, method, path, status, sent]) => {
  const answer = await send(method, path, sent?.());
  expect(answer).toMatchObject({ status, faults: [] });
});

const tool = { name: 'look_up', parameters: { type: 'object', properties: { word: { type: 'string' } } } };

const questions: [name: string, path: string, body: Record<string, unknown>][] = [
  ...Object.keys(bodies).map((path): [string, string, Record<string, unknown>] => ['a question', path, {}]),
  ['a picture', '/chat/completions', { model: 'google/gemini-2.5-flash-image', modalities: ['image', 'text'] }],
  ['reasoning', '/chat/completions', { model: 'openai/gpt-5', reasoning: { effort: 'high' } }],
  ['a search', '/chat/completions', { tools: [{ type: 'openrouter:web_search' }] }],
  ['a tool', '/chat/completions', { tools: [{ type: 'function', function: tool }], tool_choice: 'required' }],
  ['a structure', '/chat/completions', { response_format: { type: 'json_object' } }],
  ['a cut answer', '/chat/completions', { max_tokens: 5 }],
  ['reasoning', '/responses', { model: 'openai/gpt-5', reasoning: { effort: 'high' } }],
  ['a tool', '/responses', { tools: [{ type: 'function', strict: null, ...tool }], tool_choice: 'required' }],
  ['a cut answer', '/responses', { max_output_tokens: 5 }],
  ['reasoning', '/messages', { model: 'openai/gpt-5', thinking: { type: 'enabled', budget_tokens: 100 } }],
  [
    'a tool',
    '/messages',
    { tools: [{ name: 'look_up', input_schema: tool.parameters }], tool_choice: { type: 'any' } },
  ],
];

test.each(questions.flatMap((question) => [false, true].map((stream) => [...question, stream] as const)))(
  '%s at %s, with %j (stream: %s) is answered as the document says',
  async (...[, path, fields, stream]) => {
    const answer = await send('POST', path, {
      body: { ...bodies[path], ...fields, stream },
      headers: { 'x-openrouter-metadata': 'enabled' },
    });
    expect(answer).toMatchObject({ status: 200, faults: [] });
  },
);

test.each(mediaCases)('%s: %s %s answers %i as the document says', async (...[, method, path, status, sent]) => {
  const answer = await send(method, path, sent?.());
  expect(answer).toMatchObject({ status, faults: [] });
});

test('a film is ordered, waited for and fetched as the document says', async () => {
  const begun = await send('POST', '/videos', { body: { model: 'google/veo-3.1', prompt: 'a lighthouse' } });
  expect(begun).toMatchObject({ status: 202, faults: [] });
  const { id } = JSON.parse(begun.text) as { id: string };
  expect(await send('GET', `/videos/${id}`)).toMatchObject({ status: 200, faults: [] });
  simulator.control.setLatency({ firstTokenMs: 0 });
  const done = await send('GET', `/videos/${id}`);
  expect([JSON.parse(done.text), done.faults]).toMatchObject([{ status: 'completed' }, []]);
  expect(await send('GET', `/videos/${id}/content?index=0`)).toMatchObject({ status: 200, faults: [] });
});

test('a code is redeemed as the document says', async () => {
  const body = { callback_url: 'https://shop.example/back' };
  const { data } = JSON.parse((await send('POST', '/auth/keys/code', { body })).text) as { data: { id: string } };
  expect(await send('POST', '/auth/keys', { body: { code: data.id } })).toMatchObject({ status: 200, faults: [] });
});

test('keys are made, read, changed and deleted as the document says', async () => {
  const limited = { name: 'of a test', limit: 1.5, limit_reset: 'daily', expires_at: '2030-01-01T00:00:00Z' };
  const made = await send('POST', '/keys', { ...asManager(), body: limited });
  expect(made).toMatchObject({ status: 201, faults: [] });
  const { data, key } = JSON.parse(made.text) as { data: { hash: string }; key: string };
  expect(await send('GET', `/keys/${data.hash}`, asManager())).toMatchObject({ status: 200, faults: [] });
  const asked = await send('POST', '/chat/completions', { key, body: bodies['/chat/completions'] ?? {} });
  expect(asked).toMatchObject({ status: 200, faults: [] });
  const { id } = JSON.parse(asked.text) as { id: string };
  expect(await send('GET', `/generation?id=${id}`, { key })).toMatchObject({ status: 200, faults: [] });
  expect(await send('GET', `/generation/content?id=${id}`, { key })).toMatchObject({ status: 200, faults: [] });
  const changed = await send('PATCH', `/keys/${data.hash}`, { ...asManager(), body: { disabled: true } });
  expect(changed).toMatchObject({ status: 200, faults: [] });
  expect((await send('GET', '/key', { key })).status).toBe(401);
  expect(await send('DELETE', `/keys/${data.hash}`, asManager())).toMatchObject({ status: 200, faults: [] });
  expect((await send('GET', '/key', { key })).status).toBe(401);
});

test('every operation of the reduced document is asked for here', async () => {
  const checked = [
    ...[...reads, ...mediaCases].map(([, method, path]) => [method, path] as const),
    ...['/videos/job', '/videos/job/content'].map((path) => ['GET', path] as const),
    ...Object.keys(bodies).map((path) => ['POST', path] as const),
    ...['GET', 'PATCH', 'DELETE'].map((method) => [method, '/keys/abc'] as const),
  ].map(([method, path]) => {
    const plain = path.split('?')[0] ?? '';
    return openApi.check({ method, path: plain, status: 0, contentType: '', text: '' }).operation;
  });
  expect(new Set(checked)).toEqual(new Set(openApi.operations));
});
