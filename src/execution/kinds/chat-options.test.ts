import { beforeAll, afterAll, beforeEach, expect, test } from 'vitest';
import { parameterSchema } from '#resources/parameter.ts';
import { openChatCompletions } from '#upstreams/chat-completions/open-chat-completions.ts';
import { openOutbound, type Outbound } from '#upstreams/outbound/open-outbound.ts';
import { executionDeps, knownModel, publishedVersion, runContext } from '../../../tests/support/execution-deps.ts';
import { CANARY_KEY, useScriptedOpenRouter } from '../../../tests/support/scripted-openrouter.ts';
import { bytes, event, goodStream, status, type Step } from '../../../tests/support/scripted-upstream.ts';
import { quietLog } from '../../../tests/support/test-chain.ts';
import { openOpenRouterInstant, openPromptTemplate } from '../index.ts';

const router = useScriptedOpenRouter();
const parameters = [parameterSchema.parse({ name: 'topic' })];
const outputSchema = {
  type: 'object',
  properties: { a: { type: 'string' } },
  required: ['a'],
  additionalProperties: false,
};
const thinker = knownModel({
  contextLength: 400_000,
  openrouterId: 'acme/thinker',
  supportedParameters: ['reasoning', 'tools', 'temperature'],
});
const strict = knownModel({
  openrouterId: 'acme/strict',
  supportedParameters: ['response_format', 'structured_outputs'],
});
const loose = knownModel({ openrouterId: 'acme/loose', supportedParameters: ['response_format'] });

let outbound: Outbound;
let world: ReturnType<typeof executionDeps>;
beforeAll(() => {
  outbound = openOutbound({ allowedOrigins: [router.upstream.url] });
});
afterAll(() => outbound.close());
beforeEach(() => {
  const chatCompletions = openChatCompletions({ outbound, log: quietLog });
  const unused = () => Promise.reject(new Error('no file is asked for'));
  const media = { store: unused, readInput: unused };
  world = executionDeps({ openRouter: router.client, chatCompletions, outbound, media }, [
    knownModel(),
    thinker,
    strict,
    loose,
  ]);
  world.deps.openCreatorKey = async () => ({ apiKey: CANARY_KEY });
});

const base = { systemPrompt: 'About {topic}{/topic}.' };

function run(config: object, ...steps: Step[]) {
  router.upstream.script(...steps);
  const version = publishedVersion({ parameters, config: { ...base, ...config } });
  return openOpenRouterInstant(world.deps).run(version, { topic: 'ore' }, runContext());
}

function runElsewhere(config: object, ...steps: Step[]) {
  router.upstream.script(...steps);
  const upstream = { type: 'chat_completions', baseUrl: `${router.upstream.url}/v1`, apiKeySecret: null };
  const version = publishedVersion({
    kind: 'prompt_template',
    parameters,
    config: { ...base, model: 'tiny', upstream, ...config },
  });
  return openPromptTemplate(world.deps).run(version, { topic: 'ore' }, runContext());
}

const sent = (index = 0) => JSON.parse(router.upstream.seen[index]?.body ?? '{}') as Record<string, unknown>;
const problemsOf = async (config: object) => {
  const kind = openOpenRouterInstant(world.deps);
  const parsed = kind.configSchema.parse({ ...base, modelId: 'acme/thinker', ...config });
  return (await kind.checkPublishable(parsed, parameters, 'u1')).map(({ path }) => path);
};

test.each([
  ['acme/strict', { type: 'json_schema', json_schema: { name: 'output', strict: true, schema: outputSchema } }, false],
  ['acme/loose', { type: 'json_object' }, true],
  ['acme/poet', undefined, true],
])('%s is asked for JSON in the way that it takes', async (modelId, format, isInPrompt) => {
  await run({ modelId, outputSchema }, bytes(goodStream('{"a":"b"}')));
  expect(sent()['response_format']).toEqual(format);
  const { require_parameters: isStrict } = sent()['provider'] as { require_parameters?: boolean };
  expect(isStrict).toBe(format && true);
  expect(JSON.stringify(sent()['messages']).includes('JSON Schema')).toBe(isInPrompt);
});

test('where one of the models that stand in for each other knows no schema, none is asked by schema alone', async () => {
  await run({ modelId: 'acme/strict', fallbackModels: ['acme/loose'], outputSchema }, bytes(goodStream('{"a":"b"}')));
  expect(sent()['response_format']).toEqual({ type: 'json_object' });
});

test.each([
  ['DeepSeek', 'This response_format type is unavailable now', { type: 'json_object' }],
  [
    'Groq',
    "'response_format.type' : value is not one of the allowed values ['text','json_object']",
    { type: 'json_object' },
  ],
  ['xAI', 'The response_format parameter is unsupported at the moment. Leave it unset.', undefined],
])(
  'an upstream like %s that takes no schema is asked again without it, and its JSON is checked all the same',
  async (_who, message, format) => {
    const refused = status(400, { error: { message } });
    const outcome = await runElsewhere({ outputSchema }, refused, bytes(goodStream('{"a":"b"}')));
    expect(outcome).toMatchObject({ ok: true, answer: { body: { json: { output: { a: 'b' } } } } });
    expect(sent(0)['response_format']).toMatchObject({ type: 'json_schema' });
    expect(sent(1)['response_format']).toEqual(format);
    expect(JSON.stringify(sent(1)['messages'])).toContain('JSON Schema');
  },
);

test('no second turn is begun without the time for it', async () => {
  router.upstream.script(bytes(goodStream('no JSON')));
  const version = publishedVersion({ parameters, config: { ...base, modelId: 'acme/poet', outputSchema } });
  const context = runContext({ deadlineMs: Date.now() + 60_000 });
  world.deps.clock = { now: () => context.deadlineMs - 450 };
  const outcome = await openOpenRouterInstant(world.deps).run(version, { topic: 'ore' }, context);
  expect(outcome).toMatchObject({ ok: false, cause: expect.stringContaining('output_invalid') });
  expect(router.upstream.seen).toHaveLength(1);
});

test('a second turn that fails leaves the first answer unsold, with what both are known to have cost', async () => {
  const outcome = await run({ modelId: 'acme/poet', outputSchema }, bytes(goodStream('no', '0.5')), status(400, {}));
  expect(outcome).toMatchObject({ ok: false, problem: 'upstream_failed', evidence: { costUsd: '0.5', attempts: 2 } });
});

test.each([
  {
    what: 'no credit is left',
    refusal: status(402, {}),
    problem: 'unavailable',
    cause: /^out_of_credits/,
  },
  { what: 'the key is refused', refusal: status(401, {}), problem: 'unavailable', cause: /key/ },
  { what: 'too much is asked', refusal: status(429, {}), problem: 'unavailable', cause: /rate/ },
])('a second turn that meets that $what fails for that, as a first one would', async ({ refusal, problem, cause }) => {
  const alone = await run({ modelId: 'acme/poet', outputSchema }, refusal);
  const refusedAlone = world.told.refusedKeys.length;
  const outcome = await run({ modelId: 'acme/poet', outputSchema }, bytes(goodStream('no', '0.5')), refusal);
  expect(outcome).toMatchObject({ ok: false, problem, cause: expect.stringMatching(cause) });
  expect(outcome).toMatchObject({ cause: 'cause' in alone && alone.cause, evidence: { costUsd: '0.5' } });
  expect(world.told.refusedKeys).toHaveLength(2 * refusedAlone);
});

test('a second turn that is refused tells no cost where the first one told none', async () => {
  const untold = bytes(goodStream('no').filter((line) => !line.includes('"usage"')));
  const outcome = await run({ modelId: 'acme/poet', outputSchema }, untold, status(402, {}));
  expect(outcome).toMatchObject({ ok: false, evidence: { costUsd: null } });
});

test('reasoning is told in the words of the upstream, and only to models that take it', async () => {
  await run({ modelId: 'acme/thinker', reasoning: { maxTokens: 200, exclude: true } }, bytes(goodStream('x')));
  expect(sent()['reasoning']).toEqual({ max_tokens: 200, exclude: true });
  await runElsewhere({ reasoning: { effort: 'low' } }, bytes(goodStream('x')));
  expect(sent()['reasoning_effort']).toBe('low');
  expect(await problemsOf({ reasoning: { effort: 'high' } })).toEqual([]);
  expect(await problemsOf({ modelId: 'acme/poet', reasoning: { effort: 'high' } })).toEqual(['/config/reasoning']);
  expect(await problemsOf({ maxTokens: 100, reasoning: { maxTokens: 100 } })).toEqual(['/config/reasoning/maxTokens']);
});

test('a web search names its engine and how often it may be used, and the pages that it found come back as citations', async () => {
  const cite = (url: unknown, title: unknown) => ({ type: 'url_citation', url_citation: { url, title, content: 'c' } });
  const annotations = [
    cite('https://example.com/a', 'One\n\u202epage'),
    cite('https://example.com/a', 'One page'),
    cite('javascript:alert(1)', 'x'),
    cite('http://example.com/', 'x'),
    cite('https://user:pw@example.com/', 'x'),
    { type: 'file' },
  ];
  const frame = { choices: [{ index: 0, delta: { content: '', annotations }, finish_reason: null }] };
  const found = bytes([event(frame), ...goodStream('Found.')]);
  const search = { engine: 'parallel', maxUses: 2, maxResults: 3, allowedDomains: ['example.com'] };
  const outcome = await run({ modelId: 'acme/thinker', webSearch: search }, found);
  expect(outcome).toMatchObject({
    ok: true,
    answer: { body: { json: { citations: [{ url: 'https://example.com/a', title: 'One page' }] } } },
  });
  expect(sent()['tools']).toEqual([
    {
      type: 'openrouter:web_search',
      parameters: {
        engine: 'parallel',
        max_uses: 2,
        max_results: 3,
        max_total_results: 6,
        allowed_domains: ['example.com'],
      },
    },
  ]);
  expect(await problemsOf({ modelId: 'acme/poet', webSearch: {} })).toEqual(['/config/webSearch']);
});

test('at worst a promised JSON costs two answers, and a search its price and the prompt once more', async () => {
  const kind = openOpenRouterInstant(world.deps);
  const quote = (config: object) =>
    kind.quoteCost?.(
      kind.configSchema.parse({ ...base, modelId: 'acme/thinker', maxTokens: 1_000, ...config }),
      parameters,
      { ownerId: 'u1' },
    );
  const [plain, json, search] = [
    await quote({}),
    await quote({ outputSchema }),
    await quote({ webSearch: { maxUses: 2 } }),
  ];
  expect(Number(json?.worstUsd)).toBeGreaterThan(2 * Number(plain?.worstUsd));
  expect(Number(search?.worstUsd)).toBeGreaterThan(3 * Number(plain?.worstUsd) + 2 * 0.007 - 0.0001);
  expect(Number(search?.typicalUsd)).toBeGreaterThan(Number(plain?.typicalUsd) + 0.007);
  expect(json?.basis).toContain('whole answer twice');
  expect(search?.basis).toContain('1 to 2 web searches with exa');
});
