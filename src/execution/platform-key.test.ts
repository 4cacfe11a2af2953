import { beforeEach, expect, test } from 'vitest';
import type { Media } from '#media/index.ts';
import { parameterSchema } from '#resources/parameter.ts';
import { executionDeps, knownModel, publishedVersion, runContext } from '../../tests/support/execution-deps.ts';
import { useScriptedOpenRouter } from '../../tests/support/scripted-openrouter.ts';
import { bytes, goodStream, status, type Step } from '../../tests/support/scripted-upstream.ts';
import type { PlatformBudget, PlatformHealth } from './execution-deps.ts';
import { execute, openOpenRouterInstant } from './index.ts';

const router = useScriptedOpenRouter();
const PLATFORM_KEY = 'sk-or-v1-operator-canary';
const version = publishedVersion({
  parameters: [parameterSchema.parse({ name: 'topic' })],
  config: { modelId: 'acme/poet', systemPrompt: 'Write about {topic}{/topic}.' },
});
const nobodyAsks = {
  at: () => router.client,
  listModels: () => expect.unreachable(),
  open: () => expect.unreachable(),
  store: () => expect.unreachable(),
};
let world: ReturnType<typeof executionDeps>;
let reserved: string[];
let closed: (string | null)[];
let room: number;
let reported: string[];
let outage: number | null;

beforeEach(() => {
  [reserved, closed, room, reported, outage] = [[], [], 2, [], null];
  const budget: PlatformBudget = {
    dailyUsd: '0.25',
    retryAfterSeconds: () => 3_600,
    hasRoom: async () => room > 0,
    hold: async () => room > 0,
    release: async () => {},
    correct: async () => {},
    reserve: async (_ownerId, { worstUsd }) => {
      reserved.push(worstUsd);
      room -= 1;
      return room < 0 ? null : `reservation ${room}`;
    },
    close: async (_id, costUsd) => void closed.push(costUsd),
  };
  const media = nobodyAsks as unknown as Pick<Media, 'readInput' | 'store'>;
  const models = [
    knownModel({ maxCompletionTokens: 300_000 }),
    knownModel({ openrouterId: 'acme/router', isRouter: true, pricing: { prompt: '-1', completion: '-1' } }),
  ];
  const given = { openRouter: router.client, chatCompletions: nobodyAsks, outbound: nobodyAsks, media };
  world = executionDeps(given, models);
  const health: PlatformHealth = {
    findOutage: async () => outage,
    report: async (problem) => void reported.push(problem),
    check: async () => void reported.push('checked'),
  };
  world.deps.platformKey = { apiKey: PLATFORM_KEY, policy: ['demo'], budget, health };
});

function run(...steps: Step[]) {
  return runQuoted(quote, steps);
}

function runQuoted(told: typeof quote | null, steps: Step[]) {
  router.upstream.script(...steps);
  const kind = { ...openOpenRouterInstant(world.deps), quoteCost: async () => told };
  const deps = { kinds: new Map([[kind.name, kind as never]]), clock: world.deps.clock, log: world.deps.log };
  const context = { callId: runContext().callId, payer: null, limitMs: 5_000, isTest: false };
  // A version of its own: what it is quoted is remembered with it.
  return execute(deps, { version: { ...version }, input: { topic: 'rain' } }, context);
}

const quote = { typicalUsd: '0.01', worstUsd: '0.1', basis: 'as told' };

test("runs on the operator's key set their worst case aside first; what does not fit is not asked of the upstream", async () => {
  const [first, second, third] = [await run(bytes(goodStream('x'))), await run(bytes(goodStream('x'))), await run()];
  expect([first, second]).toMatchObject([
    { ok: true, evidence: { keySource: 'platform' } },
    { ok: true, evidence: { keySource: 'platform' } },
  ]);
  expect(third).toMatchObject({
    ok: false,
    problem: 'unavailable',
    cause: expect.stringMatching(
      /^platform_limit_reached: .*0\.25 USD a day.*PUT \/api\/user\/integrations\/openrouter/,
    ),
    retryAfterSeconds: 3_600,
    evidence: { attempts: 0 },
  });
  expect(reserved).toEqual(['0.1', '0.1', '0.1']);
  expect(closed).toEqual(['0.00012300', '0.00012300']);
});

test('a refusal before the answer costs nothing, an answer that broke off counts at its worst', async () => {
  room = 10;
  await run(status(401, {}));
  await run(bytes(['data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'], { cut: true }));
  expect(closed).toEqual(['0', null]);
});

test("a creator's own key takes nothing of the operator's", async () => {
  world.deps.openCreatorKey = async () => ({ apiKey: 'sk-or-v1-own-key-canary' });
  room = 0;
  expect(await run(bytes(goodStream('x')))).toMatchObject({ ok: true, evidence: { keySource: 'own' } });
  expect(reserved).toEqual([]);
});

test("with the day's share used up a resource is not ready until tomorrow, which is nothing to pause it for", async () => {
  const kind = openOpenRouterInstant(world.deps);
  expect(await kind.isReady(version)).toEqual({ ready: true });
  room = 0;
  const readiness = await kind.isReady(version);
  expect(readiness).toEqual({
    ready: false,
    cause: expect.stringMatching(/^platform_limit_reached: /),
    retryAfterSeconds: 3_600,
  });
});

test.each([
  ['a preset', { modelId: '@preset/of-the-operator' }, /^key_needed: A preset/],
  ['a model with a preset', { modelId: 'acme/poet@preset/of-the-operator' }, /^key_needed: A preset/],
  ['a preset that stands in', { fallbackModels: ['acme/poet@preset/x'] }, /^key_needed: A preset/],
  ['a router, whose price nobody knows', { modelId: 'acme/router' }, /^key_needed: What a call of this may cost/],
  [
    'a call that costs more than a day allows',
    { maxTokens: 200_000 },
    /^platform_share_too_small: .*0\.4.* USD.*0\.25 USD/,
  ],
])("%s is not sold on the operator's key and waits for a key of the creator's own", async (_name, more, cause) => {
  const kind = openOpenRouterInstant(world.deps);
  const asked = { ...version, config: { ...(version.config as object), ...more } };
  const readiness = await kind.isReady(asked);
  expect(readiness).toEqual({ ready: false, cause: expect.stringMatching(cause), lacksKey: true });
  world.deps.openCreatorKey = async () => ({ apiKey: 'sk-or-v1-own-key-canary' });
  expect(await kind.isReady(asked)).toEqual({ ready: true });
});

test("what nobody can quote is not run on the operator's key, even where readiness was not asked", async () => {
  expect(await runQuoted(null, [])).toMatchObject({
    ok: false,
    problem: 'unavailable',
    cause: expect.stringMatching(/^key_needed: /),
    evidence: { attempts: 0 },
  });
  expect(reserved).toEqual([]);
});

test("a refusal of the operator's key is told to the operator, and its creator reads nothing of what to do about it", async () => {
  const refused = await run(status(401, {}));
  expect(refused).toMatchObject({ ok: false, cause: expect.stringMatching(/^platform_key_down: .*operator/) });
  expect(reported).toEqual([expect.stringMatching(/^key_rejected: /)]);
  expect(world.told.refusedKeys).toEqual([]);
});

test("while the operator's key is known not to work, nothing is offered on it and nothing is paused for it", async () => {
  outage = 42;
  expect(await openOpenRouterInstant(world.deps).isReady(version)).toEqual({
    ready: false,
    cause: expect.stringMatching(/^platform_key_down: .*PUT \/api\/user\/integrations\/openrouter/),
    retryAfterSeconds: 42,
  });
});

test('a creator whom the operator does not name lacks a key', async () => {
  const kind = openOpenRouterInstant(world.deps);
  expect(await kind.isReady({ ...version, creator: 'eve' })).toMatchObject({ ready: false, lacksKey: true });
});
