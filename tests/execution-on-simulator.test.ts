import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Big } from 'big.js';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openOpenRouterInstant } from '#execution/index.ts';
import { systemClock } from '#kit/index.ts';
import { openMedia } from '#media/index.ts';
import { measureMedia } from '#media/index.ts';
import { readSnapshot } from '#models/index.ts';
import { parseCatalogue } from '#models/parse-catalogue.ts';
import type { Outcome } from '#resources/index.ts';
import { parameterSchema } from '#resources/parameter.ts';
import { simulatorFaults, startOpenRouterSimulator, type OpenRouterSimulator } from '#sandbox/index.ts';
import { openChatCompletions } from '#upstreams/chat-completions/open-chat-completions.ts';
import { openOpenRouter, type OpenRouterClient } from '#upstreams/index.ts';
import { openOutbound, type Outbound } from '#upstreams/outbound/open-outbound.ts';
import { executionDeps, publishedVersion, runContext } from './support/execution-deps.ts';
import { useTestDatabase } from './support/test-database.ts';

const database = useTestDatabase();
const parameters = [parameterSchema.parse({ name: 'topic' })];
const PROMPT = 'Confidential house style number nine: write about {topic}{/topic}.';
const logged: unknown[] = [];
const keep = (...line: unknown[]) => logged.push(line);
const log = { debug: keep, info: keep, warn: keep, error: keep };

let simulator: OpenRouterSimulator;
let openRouter: OpenRouterClient;
let outbound: Outbound;
let folder: string;
let world: ReturnType<typeof executionDeps>;

beforeAll(async () => {
  const { models } = await readSnapshot();
  simulator = await startOpenRouterSimulator({ port: 0, measure: measureMedia, catalogue: models });
  openRouter = openOpenRouter({ baseUrl: simulator.url, publicUrl: 'https://f.example', title: 'Farebox', log });
  outbound = openOutbound();
  folder = await mkdtemp(join(tmpdir(), 'farebox-simulated-'));
  const media = openMedia({
    database: database.current,
    folder,
    signingKey: randomBytes(32),
    publicUrl: 'https://f.example',
    clock: systemClock,
  });
  const chatCompletions = openChatCompletions({ outbound, log });
  const known = parseCatalogue(await openRouter.listModels()).models.map((model) => ({
    ...model,
    isActive: true,
    missingSince: null,
    oddSince: null,
    voices: null,
  }));
  world = executionDeps({ openRouter, chatCompletions, outbound, media }, known);
});
afterAll(async () => {
  await openRouter.close();
  await outbound.close();
  await simulator.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  simulator.control.reset();
  simulator.control.clearFaults();
  logged.length = 0;
  world.deps.openCreatorKey = async () => ({ apiKey: simulator.keys.healthy });
});

/** Only what hangs reaches this end; what answers must never be near it, however slow the machine. */
const GENEROUS_MS = 60_000;

function run(config: object = {}, limitMs?: number): Promise<Outcome> {
  const all = { modelId: 'openai/gpt-4o-mini', systemPrompt: PROMPT, ...config };
  const version = publishedVersion({ parameters, config: all });
  return openOpenRouterInstant(world.deps).run(
    version,
    { topic: 'a toll gate' },
    runContext(limitMs ? { deadlineMs: Date.now() + limitMs } : {}),
  );
}

test('an answer of the simulator is priced exactly and marked as simulated', async () => {
  const outcome = await run({}, GENEROUS_MS);
  expect(outcome).toMatchObject({
    ok: true,
    evidence: { isSimulated: true, attempts: 1, own: { finishReason: 'stop' } },
  });
  expect(outcome.evidence.costUsd).toMatch(/^0\.0+\d+$/);
});

test('an account with a provider key of its own pays the fee and the provider', async () => {
  const { evidence: plain } = await run({}, GENEROUS_MS);
  world.deps.openCreatorKey = async () => ({ apiKey: simulator.keys.ownProviderKey });
  const { evidence } = await run({}, GENEROUS_MS);
  expect(evidence.costUsd).toBe(new Big(plain.costUsd ?? 0).times('1.05').toFixed());
});

test.each([1, 2, 3, 7])('the answer of the simulator is the same in writes of %i bytes', async (bytes) => {
  const whole = await run({}, GENEROUS_MS);
  simulator.control.setSplitBytes(bytes);
  const split = await run({}, GENEROUS_MS);
  expect(split).toMatchObject({ ok: true, answer: whole.ok ? whole.answer : {} });
});

test('an image model of the simulator answers with a PNG', async () => {
  const outcome = await run({ modelId: 'google/gemini-2.5-flash-image', maxTokens: 4096 }, GENEROUS_MS);
  expect(outcome).toMatchObject({ ok: true, answer: { media: [{ contentType: 'image/png' }] } });
});

test.each(['empty', 'disabled', 'expired', 'exhausted', 'rateLimited', 'management'] as const)(
  'a run with a key that is %s fails, and its cause is named',
  async (name) => {
    world.deps.openCreatorKey = async () => ({ apiKey: simulator.keys[name] });
    const outcome = await run();
    expect(outcome).toMatchObject({ ok: false, problem: 'unavailable', cause: expect.stringMatching(/^[a-z_]+: /) });
    expect(JSON.stringify([outcome, logged])).not.toContain(simulator.keys[name]);
  },
);

/** Faults that leave a whole answer. */
const harmless = new Set([
  'usage_missing',
  'usage_partial_cost',
  // Nobody asked for JSON.
  'json_invalid',
  'cost_zero',
  'is_byok',
  'wrong_model_returned',
  'generation_404_forever',
  'stream_bom_crlf',
  // Finish reason and usage have been seen.
  'stream_no_done',
]);

test.each(Object.keys(simulatorFaults))(
  'the simulator fault %s is understood: an answer, or a failure with a cause',
  async (name) => {
    simulator.control.fail(name, { times: 9 });
    const outcome = await run();
    expect(outcome.ok).toBe(harmless.has(name));
    expect(outcome.ok ? 'whole: an answer' : outcome.cause).toMatch(/^(?!upstream_error)[a-z_]+: /);
    expect(JSON.stringify([outcome, logged])).not.toMatch(/confidential|house style|sk-or-v1/i);
  },
);

test('getKey tells good keys of the simulator from bad ones', async () => {
  expect(await openRouter.getKey(simulator.keys.healthy)).toMatchObject({ ok: true });
  expect(await openRouter.getKey(simulator.keys.management)).toMatchObject({ ok: false, reason: 'management_key' });
  expect(await openRouter.getKey('sk-or-v1-nobody-knows-this-key')).toMatchObject({ ok: false, reason: 'invalid_key' });
});
