import { expect, test } from 'vitest';
import { useScriptedOpenRouter } from '../../../tests/support/scripted-openrouter.ts';
import {
  bytes,
  COMMENT,
  delta,
  DONE,
  event,
  status,
  usageChunk,
  type Step,
} from '../../../tests/support/scripted-upstream.ts';

const router = useScriptedOpenRouter();

const bad = { index: 0, delta: { content: '' } };
const message = (content: unknown, more: object = {}) => ({ choices: [{ index: 0, message: { content }, ...more }] });

test.each<[string, Step, object]>([
  ['malformed event', bytes([delta('hi'), 'data: {"choices":[\n\n', DONE]), { kind: 'malformed' }],
  [
    'typed error in the stream',
    bytes([
      delta('hi'),
      event({
        error: { code: 502, message: 'Provider died', metadata: { error_type: 'provider_unavailable' } },
        choices: [{ ...bad, finish_reason: 'error' }],
      }),
    ]),
    { kind: 'error_event', status: 502, errorType: 'provider_unavailable', message: 'Provider died' },
  ],
  [
    'plain error in the stream, then usage and [DONE]',
    bytes([
      delta('hi'),
      event({
        error: { code: 400, message: 'Token limit reached' },
        choices: [{ ...bad, finish_reason: null }],
        usage: {},
      }),
      DONE,
    ]),
    { kind: 'error_event', status: 400 },
  ],
  [
    'bare error without choices',
    bytes([COMMENT, event({ error: { message: 'nope' } })]),
    { kind: 'error_event', status: null, message: 'nope' },
  ],
  [
    'error with a string code',
    bytes([delta('a'), event({ error: { code: 'server_error', message: 'x' }, choices: [] })]),
    { kind: 'error_event', status: 500, errorType: 'server_error' },
  ],
  [
    'error that is a string',
    bytes([delta('a'), event({ error: 'overloaded' })]),
    { kind: 'error_event', message: 'overloaded' },
  ],
  ['finish_reason error', bytes([delta('a', 'error'), DONE]), { kind: 'error_event' }],
  [
    'error of the choice',
    status(200, message('a', { finish_reason: 'error', error: { code: 502, message: 'x' } })),
    { kind: 'error_event', status: 502 },
  ],
  [
    '200 with only an error body',
    status(200, { error: { code: 429, message: 'slow down' } }),
    { kind: 'error_event', status: 429 },
  ],
  ['no finish reason before [DONE]', bytes([delta('a'), DONE]), { kind: 'truncated' }],
  ['clean end without finish reason', bytes([delta('a')]), { kind: 'truncated' }],
  ['finish reason, and then the connection breaks', bytes([delta('a', 'stop')], { cut: true }), { kind: 'connection' }],
  ['JSON without finish reason', status(200, message('a')), { kind: 'truncated' }],
  ['connection cut in the middle', bytes([delta('a'), 'data: {"cho'], { cut: true }), { kind: 'connection' }],
  ['HTML with status 200', bytes(['<html>sign in</html>'], { type: 'text/html' }), { kind: 'malformed' }],
  ['truncated JSON', bytes(['{"choices":[{"mess'], { type: 'application/json' }), { kind: 'malformed' }],
  ['JSON that is no completion', status(200, { hello: 'world' }), { kind: 'malformed' }],
  ['JSON that is no object', status(200, ['a']), { kind: 'malformed' }],
  ['empty answer', bytes([delta('', 'stop'), usageChunk(), DONE]), { kind: 'empty' }],
  ['null content', status(200, message(null, { finish_reason: 'stop' })), { kind: 'empty' }],
  ['only white space', bytes([delta(' \n\t', 'stop'), DONE]), { kind: 'empty' }],
  [
    'an image by address only',
    status(200, {
      choices: [
        {
          index: 0,
          message: { content: '', images: [{ image_url: { url: 'http://10.0.0.1/a.png' } }] },
          finish_reason: 'stop',
        },
      ],
    }),
    { kind: 'empty' },
  ],
  ['content filter, nothing left', bytes([delta('', 'content_filter'), DONE]), { kind: 'filtered' }],
  [
    'refusal',
    status(200, { choices: [{ index: 0, message: { content: null, refusal: 'No.' }, finish_reason: 'stop' }] }),
    { kind: 'filtered' },
  ],
  [
    'reasoning ate the budget',
    bytes([event({ choices: [{ index: 0, delta: { content: '', reasoning: 'hm' }, finish_reason: 'length' }] }), DONE]),
    { kind: 'starved' },
  ],
  [
    'text over 1 MB',
    bytes([delta('x'.repeat(600_000)), delta('y'.repeat(600_000)), delta('', 'stop'), DONE]),
    { kind: 'too_large' },
  ],
  [
    'error page of the edge',
    (response) => void response.writeHead(413, { 'content-type': 'text/html' }).end('<h1>413</h1>'),
    { kind: 'http_error', status: 413, message: '' },
  ],
  [
    'redirect',
    (response) => void response.writeHead(302, { location: 'http://10.0.0.1/' }).end(),
    { kind: 'http_error', status: 302 },
  ],
  [
    '402 with its source',
    status(402, {
      error: { code: 402, message: 'Insufficient credits.', metadata: { limit_source: 'openrouter_credits' } },
    }),
    { kind: 'http_error', status: 402, limitSource: 'openrouter_credits' },
  ],
  [
    'availability form',
    status(404, {
      error: {
        message: 'gone',
        error_type: 'not_found',
        http_status: 404,
        availability: { code: 'model_deprecated', retryable: false },
      },
    }),
    { status: 404, errorType: 'model_deprecated' },
  ],
  [
    'old 403 of a key limit',
    status(403, { error: { code: 403, message: 'Key limit exceeded (total limit).' } }),
    { status: 403, limitSource: 'openrouter_key_limit' },
  ],
])('a chat answer is a failure: %s', async (_name, step, failure) => {
  expect(await router.chat(step)).toMatchObject({ ok: false, failure });
});

test('a chat answer with too many bytes of images is a failure', async () => {
  const big = `data:image/png;base64,${'A'.repeat(9_000_000)}`;
  const chunk = (end: string) =>
    event({ choices: [{ index: 0, delta: { images: [{ image_url: { url: big + end } }] }, finish_reason: null }] });
  const result = await router.chat(bytes([chunk('AAAA'), chunk('BBBB'), chunk('CCCC'), delta('', 'stop'), DONE]));
  expect(result).toMatchObject({ ok: false, failure: { kind: 'too_large' } });
});
