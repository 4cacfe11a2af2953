import type { ChatResult } from '../index.ts';
import { manualTimers } from '../../../tests/support/manual-timers.ts';
import { expect, test } from 'vitest';
import { CANARY_KEY, canaryRequest, useScriptedOpenRouter } from '../../../tests/support/scripted-openrouter.ts';
import {
  bytes,
  COMMENT,
  delta,
  event,
  goodStream,
  status,
  type Step,
} from '../../../tests/support/scripted-upstream.ts';

const router = useScriptedOpenRouter();

const rateLimited = status(429, { error: { code: 429, message: 'Provider returned error' } }, { 'retry-after': '3' });
const good = bytes(goodStream('at last'));

/** Runs a call on manual time: `waits` are the delays that must be asked for, in order. */
async function chatOnManualTime(steps: Step[], waits: number[], deadlineInMs = 60_000): Promise<ChatResult> {
  const timers = manualTimers();
  const slow = router.open({ timers, idleTimeoutMs: 30_000 });
  router.upstream.script(...steps);
  const call = { apiKey: CANARY_KEY, signal: new AbortController().signal, deadlineMs: timers.now() + deadlineInMs };
  const running = slow.chat(canaryRequest, call);
  for (const wait of waits) {
    await expect.poll(() => timers.waiting(), { interval: 2 }).toEqual([wait]);
    timers.advance(wait);
  }
  const result = await running;
  await slow.close();
  return result;
}

test.each<[string, Step[], number[]]>([
  ['500 then good', [status(500, {}), good], [250]],
  ['503 with Retry-After', [status(503, {}, { 'retry-after': '7' }), good], [7_000]],
  ['two quick 429s then good', [rateLimited, rateLimited, good], [3_000, 3_000]],
  ['429 for ever', [rateLimited], [3_000, 3_000]],
  ['429 that asks for more than is worth waiting', [status(429, {}, { 'retry-after': '60' })], []],
  ['reset before the first byte', [(response) => void response.destroy(), good], [250]],
  ['error in the stream before any output', [bytes([COMMENT, event({ error: { code: 503 } })]), good], [250]],
  ['502 twice', [status(502, {})], [250]],
  ['error after the first output', [bytes([delta('a'), event({ error: { code: 503 } })])], []],
  ['cut after the first event', [bytes([delta('')], { cut: true })], []],
  [
    'in-flight budget',
    [
      status(402, { error: { code: 402, metadata: { reason: 'in_flight_budget_exhausted' } } }, { 'retry-after': '2' }),
      good,
    ],
    [2_000],
  ],
  ['402 without credits', [status(402, { error: { message: 'Insufficient credits' } }, { 'retry-after': '1' })], []],
  [
    'daily limit of free models',
    [status(429, { error: { message: 'Rate limit exceeded: free-models-per-day' } }, { 'retry-after': '1' })],
    [],
  ],
  [
    'a 429 that says that the quota is used up',
    [status(429, { error: { message: 'No quota.', type: 'insufficient_quota' } }, { 'retry-after': '1' })],
    [],
  ],
  ['a 500 that says that the input is too long', [status(500, { error: { type: 'exceed_context_size_error' } })], []],
  ...[400, 401, 403, 404, 413, 422].map((code): [string, Step[], number[]] => [`${code}`, [status(code, {})], []]),
])('a chat call is retried as the rules say: %s', async (_name, steps, waits) => {
  const attempts = waits.length + 1;
  expect(await chatOnManualTime(steps, waits)).toMatchObject({ ok: steps.at(-1) === good, attempts });
  expect(router.upstream.seen).toHaveLength(attempts);
});

test('a chat call begins no attempt that its deadline would cut', async () => {
  expect(await chatOnManualTime([rateLimited, good], [], 3_500)).toMatchObject({ ok: false, attempts: 1 });
});

/** Starts a call whose upstream hangs after `pieces`, and gives the hands on time and abort. */
async function startHanging(pieces: string[]) {
  const timers = manualTimers();
  const slow = router.open({ timers, idleTimeoutMs: 10_000 });
  const abort = new AbortController();
  let written = 0;
  router.upstream.script(async (response, seen) => {
    await bytes(pieces, { hang: true })(response, seen);
    written += 1;
  });
  const running = slow.chat(canaryRequest, {
    apiKey: CANARY_KEY,
    signal: abort.signal,
    deadlineMs: timers.now() + 25_000,
  });
  await expect.poll(() => written, { interval: 2 }).toBe(1);
  return { timers, abort, running, close: () => slow.close() };
}

test('comments in a stream do not keep a silent chat call alive', async () => {
  const { timers, running, close } = await startHanging([COMMENT, COMMENT, COMMENT]);
  timers.advance(10_000);
  expect(await running).toMatchObject({ ok: false, failure: { kind: 'idle' }, latencyMs: 10_000 });
  await close();
});

test('a caller who leaves ends the chat call', async () => {
  const { abort, running, close } = await startHanging([delta('a')]);
  abort.abort();
  expect(await running).toMatchObject({ ok: false, failure: { kind: 'aborted' } });
  await close();
});
