import { beforeEach, expect, test } from 'vitest';
import { quoteVersion, type PauseRequest, type ResourceKind } from '#resources/index.ts';
import { publishedVersion } from '../../tests/support/execution-deps.ts';
import { openToyKind, type ToyKind } from '../../tests/support/toy-kind.ts';
import { rememberReadiness, type ReadinessMemory } from './remember-readiness.ts';

const version = publishedVersion({ kind: 'toy' });
const warned: unknown[] = [];
const quiet = { debug: () => {}, info: () => {}, warn: (fields: unknown) => void warned.push(fields), error: () => {} };
let kind: ToyKind;
let asked: number;
let paused: PauseRequest[];
let nowMs: number;
let memory: ReadinessMemory;

beforeEach(() => {
  kind = openToyKind();
  [asked, paused, nowMs] = [0, [], 1_000_000];
  warned.length = 0;
  kind.isReady = async () => {
    asked += 1;
    return kind.readiness;
  };
  memory = rememberReadiness({
    kinds: new Map([['toy', kind as ResourceKind]]),
    clock: { now: () => nowMs },
    log: quiet,
    askCaps: async () => ({ ready: true }),
    pause: async (request) => void paused.push(request),
  });
});

const gone = { ready: false, cause: 'model_gone: Choose another.' } as const;

test('nobody knows that a version is ready before it was asked', async () => {
  expect(memory.isKnownReady(version)).toBe(false);
  await memory.recall(version);
  expect(memory.isKnownReady(version)).toBe(true);
  expect(asked).toBe(1);
});

test('a fresh answer serves without asking, an ageing one while it is asked once, an old one not at all', async () => {
  await memory.ask(version);
  nowMs += 2_000;
  expect([memory.isKnownReady(version), (await memory.recall(version)).ready, asked]).toEqual([true, true, 1]);
  nowMs += 1;
  kind.readiness = gone;
  expect([memory.isKnownReady(version), memory.isKnownReady(version)]).toEqual([true, true]);
  await expect.poll(() => asked).toBe(2);
  await expect.poll(() => memory.isKnownReady(version)).toBe(false);
  kind.readiness = { ready: true };
  await memory.ask(version);
  nowMs += 30_001;
  expect(memory.isKnownReady(version)).toBe(false);
});

test('after a change that may concern it a version is asked anew', async () => {
  await memory.ask(version);
  memory.forget();
  expect(memory.isKnownReady(version)).toBe(false);
});

test('what a call costs is asked once for readiness and for what a run may cost, until a change', async () => {
  const priced = { ...version, maxLossUsd: '0' };
  let quoted = 0;
  kind.quoteCost = async () => ({ typicalUsd: '0', worstUsd: `0.000${(quoted += 1)}`, basis: '' });
  const deps = { kinds: new Map([['toy', kind as ResourceKind]]), clock: { now: () => nowMs }, log: quiet };
  await memory.ask(priced);
  expect(await quoteVersion(deps, priced)).toMatchObject({ worstUsd: '0.0001' });
  memory.forget();
  expect(await quoteVersion(deps, priced)).toMatchObject({ worstUsd: '0.0002' });
  await memory.ask(priced);
  expect(quoted).toBe(2);
});

test('a cost that could not be told is asked again at once', async () => {
  const priced = { ...version, maxLossUsd: '0' };
  kind.quoteCost = () => Promise.reject(new Error('down'));
  expect(await memory.ask(priced)).toMatchObject({ ready: false, retryAfterSeconds: 60 });
  kind.quoteCost = async () => ({ typicalUsd: '0', worstUsd: '0', basis: '' });
  expect(await memory.ask(priced)).toEqual({ ready: true });
});

test('an answer that was being given during a change is not remembered', async () => {
  const answer = Promise.withResolvers<{ ready: true }>();
  kind.isReady = () => answer.promise;
  const asking = memory.ask(version);
  memory.forget();
  answer.resolve({ ready: true });
  await asking;
  expect(memory.isKnownReady(version)).toBe(false);
});

test.each([
  [gone, 'readiness'],
  [{ ready: false, cause: 'key_missing: Store one.', lacksKey: true } as const, 'key'],
])('what cannot run until its owner acts is paused: %j by %s', async (readiness, by) => {
  kind.readiness = readiness;
  expect(await memory.ask(version)).toEqual(readiness);
  const { resourceId, versionId, ownerId } = version;
  expect(paused).toEqual([{ resourceId, versionId, ownerId, by, cause: readiness.cause }]);
});

test('what comes back by itself is refused and not paused, and so is what could not be asked', async () => {
  kind.readiness = { ready: false, cause: 'spent: Until tomorrow.', retryAfterSeconds: 60 };
  expect(await memory.recall(version)).toMatchObject({ ready: false });
  kind.isReady = () => Promise.reject(new Error('no'));
  expect(await memory.ask(version)).toMatchObject({ ready: false, retryAfterSeconds: 60 });
  expect(paused).toEqual([]);
});

test('a resource that stays unable is told in the log once, and again when the cause is another or it was able between', async () => {
  const spent = { ready: false, cause: 'spent: Until tomorrow.', retryAfterSeconds: 60 } as const;
  for (const readiness of [spent, spent, gone, gone, { ready: true } as const, gone]) {
    kind.readiness = readiness;
    await memory.ask(version);
    memory.forget();
  }
  const causes = warned.map((line) => (line as { cause: string }).cause);
  expect(causes).toEqual([spent.cause, gone.cause, gone.cause]);
});
