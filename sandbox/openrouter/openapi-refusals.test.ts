import { beforeAll, beforeEach, expect, test } from 'vitest';
import { askChecked } from '../../tests/support/openrouter-openapi/ask-checked.ts';
import { openAnswerCheck, type AnswerCheck } from '../../tests/support/openrouter-openapi/check-answer.ts';
import type { Sent } from '../../tests/support/openrouter-openapi/media-cases.ts';
import { useSimulator } from '../../tests/support/use-simulator.ts';
import { faults } from './faults.ts';

/** Every way to go wrong, in each form of answer, against OpenRouter's own OpenAPI document. */

const simulator = useSimulator({ generationDelayMs: 0 });
let openApi: AnswerCheck;
beforeAll(async () => {
  openApi = await openAnswerCheck();
});
beforeEach(() => simulator.control.setSlowMs(1));

const send = (method: string, path: string, sent?: Sent) => askChecked({ simulator, openApi }, [method, path], sent);

const MODEL = 'anthropic/claude-haiku-4.5';
const SOUND = { data: 'SUQz', format: 'mp3' };
/** What each route must be given to come to its work. */
const bodies: Record<string, Record<string, unknown>> = {
  '/chat/completions': { model: MODEL, messages: [{ role: 'user', content: 'Tell me about lighthouses' }] },
  '/responses': { model: MODEL, input: 'Tell me about lighthouses' },
  '/messages': { model: MODEL, max_tokens: 300, messages: [{ role: 'user', content: 'Tell me about lighthouses' }] },
  '/images': { model: 'black-forest-labs/flux-3-image', prompt: 'a lighthouse' },
  '/audio/speech': { model: 'openai/tts-1', input: 'Mind it.', voice: 'alloy' },
  '/audio/transcriptions': { model: 'openai/whisper-1', input_audio: SOUND },
  '/embeddings': { model: 'openai/text-embedding-3-small', input: ['a'] },
  '/rerank': { model: 'cohere/rerank-v3.5', query: 'sea', documents: ['a'] },
  '/videos': { model: 'google/veo-3.1', prompt: 'a lighthouse' },
};
const chats = ['/chat/completions', '/responses', '/messages'];

/** Answers that are meant to be none: no JSON, no end, no answer at all. Their own tests say what they are. */
const formless = new Set([
  '520_html',
  'html_200',
  'socket_reset',
  'socket_hang',
  'truncated_json',
  'stream_cut',
  'stream_comments_only',
  'stream_malformed_event',
]);
/** OpenRouter sends these though its document does not list them. */
const unlisted = new Set(['409', '412', '503_availability', '504', 'ok_200_error_body', 'stream_error_bare']);
/** The document lists fewer statuses for messages. */
const unlistedOfMessages = new Set([402, 408, 413, 422, 502, 524]);

const cases = Object.entries(faults)
  .filter(([name]) => !formless.has(name) && !unlisted.has(name))
  .flatMap(([name, { refusal }]) =>
    chats
      .filter((path) => path !== '/messages' || !unlistedOfMessages.has(refusal?.status ?? 0))
      .flatMap((path) => [false, true].map((stream) => [name, path, stream] as const)),
  );

test.each(cases)(
  'the fault %s at %s (stream: %s) has the form that the document gives it',
  async (name, path, stream) => {
    const answer = await send('POST', path, {
      body: { ...bodies[path], stream },
      headers: { 'x-sim-fault': name },
    });
    const isListed = path !== '/messages' || !unlistedOfMessages.has(answer.status);
    expect(answer.faults).toHaveLength(isListed ? 0 : 1);
  },
);

test('what is left out here is truly not in the document', async () => {
  for (const name of unlisted) {
    const body = { ...bodies['/chat/completions'], stream: true };
    const { faults: found } = await send('POST', '/chat/completions', { body, headers: { 'x-sim-fault': name } });
    expect({ name, found: found.length }).toEqual({ name, found: 1 });
  }
});

test('every refusal that the document lists for an operation has its form', async () => {
  const refused = openApi.answers.filter(({ status }) => status >= 400);
  expect(refused.length).toBeGreaterThan(200);
  for (const { method, path, status, operation } of refused) {
    const [fault] = Object.entries(faults).find(([, { refusal }]) => refusal?.status === status) ?? [];
    const asked = path.replaceAll('{hash}', 'abc').replaceAll(/\{\w+\}/g, 'one');
    const body = method === 'GET' || method === 'DELETE' ? {} : { body: bodies[path] ?? {} };
    const answer = await send(method, asked, { headers: { 'x-sim-fault': String(fault) }, ...body });
    expect({ operation, status: answer.status, faults: answer.faults }).toEqual({ operation, status, faults: [] });
  }
});
