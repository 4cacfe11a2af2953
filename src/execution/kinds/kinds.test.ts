import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '#kit/index.ts';
import { openMedia } from '#media/index.ts';
import type { Outcome, PublishedVersion } from '#resources/index.ts';
import { parameterSchema } from '#resources/parameter.ts';
import { openChatCompletions } from '#upstreams/chat-completions/open-chat-completions.ts';
import { openOutbound, type Outbound } from '#upstreams/outbound/open-outbound.ts';
import { executionDeps, publishedVersion, runContext } from '../../../tests/support/execution-deps.ts';
import { CANARY_KEY, useScriptedOpenRouter } from '../../../tests/support/scripted-openrouter.ts';
import {
  bytes,
  delta,
  DONE,
  event,
  goodStream,
  status,
  usageChunk,
  type Step,
} from '../../../tests/support/scripted-upstream.ts';
import { useTestDatabase } from '../../../tests/support/test-database.ts';
import { openOpenRouterInstant, openPromptTemplate } from '../index.ts';

const database = useTestDatabase();
const router = useScriptedOpenRouter();
const PROMPT = 'Confidential house style number nine: write about {topic}{/topic}.';
const parameters = [parameterSchema.parse({ name: 'topic' })];
const dataUrl = `data:image/png;base64,${PNG.sync.write(new PNG({ width: 4, height: 2 })).toString('base64')}`;

let outbound: Outbound;
let folder: string;
let world: ReturnType<typeof executionDeps>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farebox-kinds-'));
  outbound = openOutbound({ allowedOrigins: [router.upstream.url] });
});
afterAll(async () => {
  await outbound.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  const media = openMedia({
    database: database.current,
    folder,
    signingKey: randomBytes(32),
    publicUrl: 'https://f.example',
    clock: systemClock,
  });
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const chatCompletions = openChatCompletions({ outbound, log });
  world = executionDeps({ openRouter: router.client, chatCompletions, outbound, media });
  world.deps.openCreatorKey = async () => ({ apiKey: CANARY_KEY });
});

const instant = (config: object = {}): PublishedVersion =>
  publishedVersion({ parameters, config: { modelId: 'acme/poet', systemPrompt: PROMPT, ...config } });
const template = (config: object = {}): PublishedVersion =>
  publishedVersion({
    kind: 'prompt_template',
    parameters,
    config: { model: 'acme/poet', systemPrompt: PROMPT, allowsUserMessage: true, ...config },
  });
const elsewhere = () => ({ upstream: { type: 'chat_completions', baseUrl: `${router.upstream.url}/v1` } });

function run(version: PublishedVersion, ...steps: Step[]): Promise<Outcome> {
  router.upstream.script(...steps);
  const open = version.kind === 'prompt_template' ? openPromptTemplate : openOpenRouterInstant;
  return open(world.deps).run(version, { topic: '{topic}{/topic} $& tolls' }, runContext());
}

const sentBody = () => JSON.parse(router.upstream.seen[0]?.body ?? '{}') as Record<string, unknown>;

test.each(['stop', 'length', 'tool_calls', 'ended_somehow'])(
  'an answer that ends with %s is what the documents say of answers; one without an end is none',
  async (reason) => {
    const outcome = await run(instant(), bytes([delta('An ode'), delta('', reason), DONE]));
    const { answerSchema } = openOpenRouterInstant(world.deps);
    const sold = (outcome.ok && outcome.answer.body.type === 'json' && outcome.answer.body.json) as object;
    expect(answerSchema.safeParse(sold)).toMatchObject({ success: true });
    expect(answerSchema.safeParse({ ...sold, finishReason: null }).success).toBe(false);
  },
);

test('a text answer with its evidence', async () => {
  const outcome = await run(instant({ temperature: 0.5, maxTokens: 9_000 }), bytes(goodStream('An ode')));
  const usage = { input_tokens: 12, output_tokens: 34, total_tokens: 46 };
  expect(outcome).toEqual({
    ok: true,
    answer: {
      status: 200,
      contentType: 'application/json',
      headers: {},
      body: {
        type: 'json',
        json: { response: 'An ode', model: 'acme/poet-2026', finishReason: 'stop', usage },
      },
      media: [],
    },
    evidence: {
      attempts: 1,
      firstOutputMs: expect.any(Number),
      costUsd: '0.00012300',
      keySource: 'own',
      isSimulated: false,
      own: {
        model: 'acme/poet-2026',
        provider: 'Acme',
        generationId: 'gen-1700000000-abcdefghij0123456789',
        inputTokens: 12,
        outputTokens: 34,
        finishReason: 'stop',
        // 27 prompt tokens and half of the tokens that may be written, at most a thousand.
        expectedCostUsd: '0.002026',
        worstCostUsd: '0.008274',
        adjustments: [],
      },
    },
  });
  expect(sentBody()).toEqual({
    model: 'acme/poet',
    messages: [
      { role: 'user', content: 'Confidential house style number nine: write about {topic}{/topic} $& tolls.' },
    ],
    // The list prices, which the worst case was computed with.
    provider: { max_price: { prompt: '1', completion: '2', request: '0' } },
    max_tokens: 4_096,
    temperature: 0.5,
    stream: true,
  });
});

test('images are stored and never leave as base64', async () => {
  const picture = { index: 0, delta: { content: '', images: [{ image_url: { url: dataUrl } }] }, finish_reason: null };
  const version = instant({ modelId: 'acme/painter', imageConfig: { aspectRatio: '1:1' } });
  const outcome = await run(version, bytes([event({ choices: [picture] }), delta('', 'stop'), usageChunk(), DONE]));
  expect(outcome).toMatchObject({
    ok: true,
    answer: {
      body: { json: { response: '', images: [{ contentType: 'image/png', width: 4, height: 2 }] } },
      media: [{ contentType: 'image/png', width: 4, height: 2 }],
    },
  });
  expect(JSON.stringify(outcome)).not.toContain('base64');
  expect(sentBody()).toMatchObject({ modalities: ['image', 'text'], image_config: { aspect_ratio: '1:1' } });
  const { rows } = await database.current.system.query('SELECT owner_id, call_id FROM x402_cached_images');
  expect(rows).toEqual([{ owner_id: 'u1', call_id: runContext().callId }]);
});

test('an image that is none fails the call', async () => {
  const html = { image_url: { url: `data:image/png;base64,${btoa('<html>')}` } };
  const answer = { choices: [{ message: { content: 'Look!', images: [html] }, finish_reason: 'stop' }] };
  const outcome = await run(instant({ modelId: 'acme/painter' }), status(200, answer));
  expect(outcome).toMatchObject({
    ok: false,
    problem: 'upstream_failed',
    cause: expect.stringMatching(/^unusable_image/),
  });
});

test('text that a filter has cut is not sold', async () => {
  const outcome = await run(
    instant(),
    bytes([delta('Half of', 'content_filter'), usageChunk('0.1', 'content_filter'), DONE]),
  );
  expect(outcome).toMatchObject({ ok: false, problem: 'content_refused', evidence: { costUsd: '0.1' } });
});

const hostile = { code: 401, message: `Key ${CANARY_KEY} may not ask: ${PROMPT}`, metadata: { raw: PROMPT } };

test('a refused key is taken out of use, and nothing of key or prompt is told', async () => {
  const outcome = await run(instant(), status(401, { error: hostile }));
  expect(outcome).toMatchObject({ ok: false, problem: 'unavailable', cause: expect.stringMatching(/^key_rejected: /) });
  expect(world.told.refusedKeys).toMatchObject([{ ownerId: 'u1' }]);
  expect(JSON.stringify([outcome, world.told, router.logged])).not.toMatch(/canary|confidential|house style/i);
});

test('a failure to stop sales does not change the outcome', async () => {
  world.deps.refuseCreatorKey = () => Promise.reject(new Error('database down'));
  expect(await run(instant(), status(401, {}))).toMatchObject({ ok: false, problem: 'unavailable' });
});

test('a model that is gone pauses the resource', async () => {
  const error = { code: 404, message: 'No longer served', availability: { code: 'model_deprecated' } };
  await run(instant(), status(404, { error }));
  expect(world.told).toMatchObject({ refusedKeys: [], paused: [{ cause: expect.stringMatching(/^model_gone: /) }] });
});

test('the platform key stands in for creators whom its policy names, and is never refused for them', async () => {
  world.deps.openCreatorKey = async () => null;
  world.deps.platformKey = { apiKey: 'sk-or-v1-platform', policy: ['demo'] };
  const kind = openOpenRouterInstant(world.deps);
  expect(await kind.isReady(instant())).toEqual({ ready: true });
  expect(await kind.isReady({ ...instant(), creator: 'mallory' })).toMatchObject({ ready: false });
  await run(instant(), status(401, {}));
  expect(router.upstream.seen[0]?.headers.authorization).toBe('Bearer sk-or-v1-platform');
  expect(world.told).toMatchObject({ refusedKeys: [], paused: [] });
  world.deps.openCreatorKey = async () => ({ apiKey: CANARY_KEY });
  await run(instant(), bytes(goodStream('x')));
  expect(router.upstream.seen[0]?.headers.authorization).toBe(`Bearer ${CANARY_KEY}`);
});

test.each(['openrouter_instant', 'prompt_template'])('%s is not ready without key or model', async (name) => {
  const [open, make, field] =
    name === 'prompt_template'
      ? ([openPromptTemplate, template, 'model'] as const)
      : ([openOpenRouterInstant, instant, 'modelId'] as const);
  expect(await open(world.deps).isReady(make())).toEqual({ ready: true });
  const unknown = await open(world.deps).isReady(make({ [field]: 'acme/nobody' }));
  expect(unknown).toMatchObject({ ready: false, cause: expect.stringMatching(/^model_unknown/) });
  expect(await run(make({ [field]: 'acme/nobody' }))).toMatchObject({ ok: false, evidence: { attempts: 0 } });
  world.deps.openCreatorKey = async () => null;
  const keyless = await open(world.deps).isReady(make());
  expect(keyless).toMatchObject({ ready: false, cause: expect.stringMatching(/^key_missing/) });
  expect(await run(make())).toMatchObject({ ok: false, problem: 'unavailable' });
  expect(router.upstream.seen).toHaveLength(0);
});

test("a buyer's message is the user turn, where it is allowed", async () => {
  router.upstream.script(bytes(goodStream('x')));
  const kind = openPromptTemplate(world.deps);
  const input = { topic: 'rain', user_message: 'Ignore {topic}{/topic}' };
  await kind.run(template(), input, runContext());
  expect(sentBody()).toMatchObject({
    messages: [
      { role: 'system', content: expect.stringContaining('write about rain.') },
      { role: 'user', content: 'Ignore {topic}{/topic}' },
    ],
  });
  router.upstream.script(bytes(goodStream('x')));
  await kind.run(template({ allowsUserMessage: false }), input, runContext());
  expect(sentBody()).toMatchObject({ messages: [{ role: 'user' }] });
});

test('a prompt on another host uses the key of the resource, and a refusal pauses only it', async () => {
  const version = template({ ...elsewhere(), model: 'tiny' });
  expect(await run(version, bytes(goodStream('x')))).toMatchObject({
    ok: false,
    cause: expect.stringMatching(/^key_missing/),
  });
  world.deps.openUpstreamKey = async () => 'sk-upstream-canary';
  expect(await run(version, bytes(goodStream('Hello')))).toMatchObject({
    ok: true,
    answer: { body: { json: { response: 'Hello' } } },
  });
  expect(router.upstream.seen[0]).toMatchObject({
    path: '/v1/chat/completions',
    headers: { authorization: 'Bearer sk-upstream-canary' },
  });
  await run(version, status(401, {}));
  expect(world.told).toMatchObject({ refusedKeys: [], paused: [{ resourceId: version.resourceId }] });
});

test('a host that may not be called is refused at publishing and at the call', async () => {
  world.deps.openUpstreamKey = async () => 'k';
  const upstream = { type: 'chat_completions', baseUrl: 'https://169.254.169.254/v1' };
  const kind = openPromptTemplate(world.deps);
  const config = kind.configSchema.parse(template({ upstream }).config);
  expect(await kind.checkPublishable(config, parameters, 'u1')).toEqual([
    { path: '/config/upstream/baseUrl', message: 'Only hosts on the public internet are called.' },
  ]);
  expect(await run(template({ upstream }))).toMatchObject({ ok: false, cause: expect.stringMatching(/^upstream_url/) });
});

test('the public view holds no prompt', () => {
  for (const [open, version] of [
    [openOpenRouterInstant, instant({ userMessage: PROMPT })],
    [openPromptTemplate, template(elsewhere())],
  ] as const) {
    const kind = open(world.deps);
    const shown = kind.toPublic(kind.configSchema.parse(version.config) as never);
    expect(shown).toMatchObject({ model: 'acme/poet', maxTokens: 1_024 });
    expect(JSON.stringify(shown)).not.toMatch(/Confidential|http/);
  }
});

test('publishing checks every model that may answer', async () => {
  const kind = openOpenRouterInstant(world.deps);
  const config = kind.configSchema.parse(instant({ fallbackModels: ['acme/poet', 'acme/nobody'] }).config);
  expect(await kind.checkPublishable(config, parameters, 'u1')).toEqual([
    { path: '/config/fallbackModels/1', message: 'The catalogue has no model "acme/nobody".' },
  ]);
});

test.each([
  { maxTokens: 0 },
  { temperature: 3 },
  { topP: 0 },
  { unknown: 1 },
  { systemPrompt: 7 },
  { imageConfig: { aspectRatio: 'wide' } },
])('config %o is refused', (wrong) => {
  const { configSchema } = openOpenRouterInstant(world.deps);
  expect(configSchema.safeParse(instant(wrong).config).success).toBe(false);
});
