import { beforeEach, expect, test } from 'vitest';
import type { Media } from '#media/index.ts';
import { parameterSchema } from '#resources/parameter.ts';
import { executionDeps, publishedVersion, runContext } from '../../tests/support/execution-deps.ts';
import { useScriptedOpenRouter } from '../../tests/support/scripted-openrouter.ts';
import { bytes, goodStream, status, type Step } from '../../tests/support/scripted-upstream.ts';
import type { PlatformBudget } from './execution-deps.ts';
import { execute, openOpenRouterInstant } from './index.ts';

const router = useScriptedOpenRouter();
const PLATFORM_KEY = 'sk-or-v1-operator-canary';
const version = publishedVersion({
  parameters: [parameterSchema.parse({ name: 'topic' })],
  config: { modelId: 'acme/poet', systemPrompt: 'Write about {topic}{/topic}.' },
});
const nobodyAsks = {
  at: () => router.client,
  open: () => expect.unreachable(),
  storeImage: () => expect.unreachable(),
};
let world: ReturnType<typeof executionDeps>;
let reserved: (string | null)[];
let closed: (string | null)[];
let room: number;

beforeEach(() => {
  [reserved, closed, room] = [[], [], 2];
  const budget: PlatformBudget = {
    dailyUsd: '0.25',
    retryAfterSeconds: () => 3_600,
    hasRoom: async () => room > 0,
    reserve: async (_ownerId, worstUsd) => {
      reserved.push(worstUsd);
      room -= 1;
      return room < 0 ? null : `reservation ${room}`;
    },
    close: async (_id, costUsd) => void closed.push(costUsd),
  };
  const media = nobodyAsks as unknown as Pick<Media, 'storeImage'>;
  world = executionDeps({ openRouter: router.client, chatCompletions: nobodyAsks, outbound: nobodyAsks, media });
  world.deps.platformKey = { apiKey: PLATFORM_KEY, policy: ['demo'], budget };
});

function run(...steps: Step[]) {
  router.upstream.script(...steps);
  const kind = { ...openOpenRouterInstant(world.deps), quoteCost: async () => quote };
  const deps = { kinds: new Map([[kind.name, kind as never]]), clock: world.deps.clock, log: world.deps.log };
  const context = { callId: runContext().callId, payer: null, limitMs: 5_000, isTest: false };
  return execute(deps, { version, input: { topic: 'rain' } }, context);
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

test('a creator whom the operator does not name lacks a key', async () => {
  const kind = openOpenRouterInstant(world.deps);
  expect(await kind.isReady({ ...version, creator: 'eve' })).toMatchObject({ ready: false, lacksKey: true });
});
