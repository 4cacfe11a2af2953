import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { AnswerPart, Outcome, PartsEnd, RunContext } from '#resources/index.ts';
import { parameterSchema } from '#resources/parameter.ts';
import { executionDeps, publishedVersion, runContext } from '../../tests/support/execution-deps.ts';
import { CANARY_KEY, useScriptedOpenRouter } from '../../tests/support/scripted-openrouter.ts';
import {
  bytes,
  COMMENT,
  delta,
  DONE,
  event,
  goodStream,
  status,
  usageChunk,
  type Step,
} from '../../tests/support/scripted-upstream.ts';
import { openOpenRouterInstant } from './index.ts';

/* Streams of upstreams as they come, and what hostile ones do. */
const router = useScriptedOpenRouter();
const TEXT = 'Grüße 😀 aus <Köln>\n';

async function run(step: Step, more: Partial<RunContext> = {}): Promise<Outcome> {
  router.upstream.script(step);
  const none = undefined as never;
  const { deps } = executionDeps({ openRouter: router.client, chatCompletions: none, outbound: none, media: none });
  deps.openCreatorKey = async () => ({ apiKey: CANARY_KEY });
  const config = { modelId: 'acme/poet', systemPrompt: 'Write about {topic}{/topic}.' };
  const version = publishedVersion({ parameters: [parameterSchema.parse({ name: 'topic' })], config });
  const context = runContext({ inParts: true, deadlineMs: Date.now() + 30_000, ...more });
  return openOpenRouterInstant(deps).run(version, { topic: 'rain' }, context);
}

async function read(outcome: Outcome): Promise<{ text: string; names: string[]; end: PartsEnd | null }> {
  const parts: AnswerPart[] = [];
  if (!outcome.ok || outcome.answer.body.type !== 'parts') {
    return { text: '', names: [], end: null };
  }
  const { body } = outcome.answer;
  for (;;) {
    const next = await body.parts.next();
    if (next.done) {
      const text = parts.map((part) => (part.type === 'delta' ? part.text : '')).join('');
      return { text, names: parts.map(({ type }) => type).filter((type) => type !== 'delta'), end: next.value };
    }
    parts.push(next.value);
  }
}

test('text goes out as it comes, then what it took; the rest is told at its end', async () => {
  const outcome = await run(bytes(goodStream(TEXT)));
  expect(outcome).toMatchObject({ ok: true, evidence: { attempts: 1 } });
  const { text, names, end } = await read(outcome);
  expect([text, names]).toEqual([TEXT, ['usage']]);
  expect(end).toMatchObject({
    ok: true,
    json: { model: 'acme/poet-2026', finishReason: 'stop' },
    evidence: { costUsd: '0.00012300', own: { outputTokens: 34, worstCostUsd: '0.002072' } },
  });
});

test('a stream that drips in byte by byte, with comments between, is the same text', async () => {
  const whole = Buffer.from([COMMENT, ...goodStream(TEXT)].join(COMMENT));
  const drops = Array.from(whole, (_, at) => whole.subarray(at, at + 1));
  expect((await read(await run(bytes(drops)))).text).toBe(TEXT);
});

test('is read only as fast as its reader reads', async () => {
  const frames = 1_000;
  let sent = 0;
  const outcome = await run(async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (; sent < frames; sent += 1) {
      if (!response.write(`: ${'.'.repeat(60_000)}\n\n${delta('x'.repeat(900))}`)) {
        await once(response, 'drain');
      }
    }
    response.end([delta('', 'stop'), usageChunk(), DONE].join(''));
  });
  await expect.poll(() => sent).toBeGreaterThan(80);
  for (let turn = 0; turn < 200; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(sent).toBeLessThan(frames);
  const { text, end } = await read(outcome);
  expect([text.length, end?.ok]).toEqual([frames * 900, true]);
});

const hostile: Record<string, { step: Step; cause: string }> = {
  'an error in the middle': {
    step: bytes([delta('half'), event({ error: { code: 502, message: 'Provider returned error' }, choices: [] })]),
    cause: 'Provider returned error',
  },
  'an event without an end': {
    step: bytes([delta('half'), 'data: ', ...Array.from({ length: 33 }, () => 'x'.repeat(1_000_000))], { hang: true }),
    cause: 'answer_too_large',
  },
  'a text without an end': {
    step: bytes([delta('half'), ...Array.from({ length: 12 }, () => delta('y'.repeat(100_000)))], { hang: true }),
    cause: 'answer_too_large',
  },
  'a connection that breaks': { step: bytes([delta('half')], { cut: true }), cause: 'connection' },
  'an end without a finish reason': { step: bytes([delta('half'), DONE]), cause: 'truncated_answer' },
  'an event that is no JSON': { step: bytes([delta('half'), 'data: {"choices":[\n\n', DONE]), cause: 'malformed' },
};

test.each(Object.entries(hostile))('%s ends the parts with a failure behind what came before', async (_what, given) => {
  const { text, end } = await read(await run(given.step));
  expect(text.startsWith('half')).toBe(true);
  expect(end).toMatchObject({ ok: false, cause: expect.stringContaining(given.cause) });
});

const whole = { choices: [{ message: { content: TEXT }, finish_reason: 'stop' }] };

test.each([
  ['a page', bytes(['<html>no</html>'], { type: 'text/html' }), false],
  ['nothing but comments and blanks', bytes([COMMENT, delta('  '), delta('', 'stop'), DONE]), false],
  ['thinking alone', bytes([delta('<think>'), delta('hm'), delta('', 'stop'), DONE]), false],
  ['an answer of JSON', status(200, whole), true],
  ['an answer of JSON behind blanks', bytes([' ', '\n', '\r\n\r\n', JSON.stringify(whole)]), true],
  ['events of several lines each', bytes(goodStream(TEXT).map((piece) => piece.replaceAll(',"', ',\ndata: "'))), true],
] as const)('%s is an answer or none', async (_what, step, isAnswer) => {
  const outcome = await run(step);
  expect(outcome.ok).toBe(isAnswer);
  expect((await read(outcome)).text).toBe(isAnswer ? TEXT : '');
});

test('a stream with another content type is one all the same', async () => {
  expect((await read(await run(bytes(goodStream(TEXT), { type: 'application/json' })))).text).toBe(TEXT);
});
