import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  CANARY_KEY,
  CANARY_PROMPT,
  canaryRequest,
  useScriptedOpenRouter,
} from '../../../tests/support/scripted-openrouter.ts';
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

const PNG = 'data:image/png;base64,iVBORw0KGgo=';
const router = useScriptedOpenRouter();

test('a chat call streams, names the app and reads the answer with its evidence', async () => {
  const result = await router.chat(bytes(goodStream('Ode to a toll gate')));
  expect(result).toMatchObject({
    ok: true,
    text: 'Ode to a toll gate',
    images: [],
    model: 'acme/poet-2026',
    provider: 'Acme',
    generationId: 'gen-1700000000-abcdefghij0123456789',
    finishReason: 'stop',
    usage: { inputTokens: 12, outputTokens: 34, reasoningTokens: null, costUsd: '0.00012300' },
    attempts: 1,
    isSimulated: false,
  });
  expect(result.firstTokenMs).toBeLessThanOrEqual(result.latencyMs);
  const [seen] = router.upstream.seen;
  expect(seen?.path).toBe('/api/v1/chat/completions');
  expect(seen?.headers).toMatchObject({
    authorization: `Bearer ${CANARY_KEY}`,
    'http-referer': 'https://farebox.example',
    'x-openrouter-title': 'Farebox',
  });
  expect(JSON.parse(seen?.body ?? '')).toEqual({
    model: 'acme/poet',
    messages: [{ role: 'user', content: CANARY_PROMPT }],
    max_tokens: 256,
    stream: true,
  });
});

test.each(['0', '0.1', '0.1000000', '1e-7', '3e-05', '0.30000000000000004', '0.123456789012345678901234567890'])(
  'a chat answer keeps the cost %s as the text it had on the wire',
  async (cost) => {
    const result = await router.chat(bytes(goodStream('x', cost)));
    expect(result.usage?.costUsd).toBe(cost);
  },
);

test.each(['-1', '"free"', 'null', '1e999', '{}', '[0.1]'])(
  'a chat answer with the cost %s has no cost',
  async (cost) => {
    const result = await router.chat(bytes(goodStream('x', cost)));
    expect(result).toMatchObject({ ok: true, usage: { costUsd: null, outputTokens: 34 } });
  },
);

test('the answers of a simulator are marked as simulated', async () => {
  const result = await router.chat(bytes(goodStream('x'), { headers: { 'x-farebox-simulated': 'true' } }));
  expect(result.isSimulated).toBe(true);
});

test('images are collected from deltas, each once', async () => {
  const images = [{ type: 'image_url', image_url: { url: PNG } }];
  const chunk = event({ choices: [{ index: 0, delta: { content: '', images }, finish_reason: null }] });
  const result = await router.chat(bytes([chunk, chunk, delta('', 'stop'), usageChunk(), DONE]));
  expect(result).toMatchObject({ ok: true, text: '', images: [{ dataUrl: PNG }] });
});

const message = (content: unknown, more: object = {}) => ({ choices: [{ index: 0, message: { content }, ...more }] });

test.each<[string, Step, object]>([
  ['stream without usage', bytes([delta('hi', 'stop'), DONE]), { text: 'hi', usage: null }],
  ['stream that ends after its finish reason', bytes([delta('hi', 'stop')]), { text: 'hi', usage: null }],
  ['stream without [DONE] after finish and usage', bytes([delta('hi'), usageChunk()]), { text: 'hi' }],
  [
    'usage chunk with empty choices',
    bytes([delta('hi', 'stop'), event({ choices: [], usage: {} }), DONE]),
    { text: 'hi' },
  ],
  ['no blank line after the last event', bytes([delta('hi', 'stop'), 'data: [DONE]']), { text: 'hi' }],
  ['plain JSON', status(200, message('hi', { finish_reason: 'stop' })), { text: 'hi', finishReason: 'stop' }],
  ['content in parts', status(200, message([{ type: 'text', text: 'hi' }], { finish_reason: 'stop' })), { text: 'hi' }],
  [
    'fields of unexpected types',
    bytes([
      event({
        id: 7,
        choices: [null, { index: 0, delta: { content: 'hi', images: 3 }, finish_reason: 'stop' }],
        usage: 'none',
      }),
      DONE,
    ]),
    { text: 'hi', generationId: null },
  ],
  ['partial text at the length limit', bytes([delta('hi', 'length'), DONE]), { text: 'hi', finishReason: 'length' }],
])('a chat answer is understood: %s', async (_name, step, expected) => {
  expect(await router.chat(step)).toMatchObject({ ok: true, ...expected });
});

test('a chat stream gives the same answer wherever the bytes are cut, with LF, CRLF and a byte order mark', async () => {
  const text = 'Grüße 🚌 — 三円, “fare”';
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.boolean(),
      async (cuts, lineEnd, hasMark) => {
        const stream = goodStream(text).join('').replaceAll('\n', lineEnd);
        const whole = Buffer.from((hasMark ? '\uFEFF' : '') + stream);
        const at = [0, ...cuts.map((cut) => Math.floor(cut * whole.length)).sort((a, b) => a - b), whole.length];
        const pieces = at.slice(1).map((end, index) => whole.subarray(at[index], end));
        const result = await router.chat(bytes(pieces.filter((piece) => piece.length > 0)));
        expect(result).toMatchObject({ ok: true, text, usage: { costUsd: '0.00012300' } });
      },
    ),
    { numRuns: 150 },
  );
});

test('a chat stream that is cut anywhere never passes for a whole answer of other text', async () => {
  const whole = Buffer.from(goodStream('all or nothing').join(''));
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), async (end) => {
      const result = await router.chat(bytes([whole.subarray(0, end)].filter((piece) => piece.length > 0)));
      expect(result.ok ? result.text : 'all or nothing').toBe('all or nothing');
      expect(result.ok && result.finishReason !== 'stop').toBe(false);
    }),
    { numRuns: 80 },
  );
});

test('keys, prompts and inputs are never quoted by chat calls, in results or in log lines', async () => {
  const echoes = [
    CANARY_PROMPT,
    `invalid prompt: ${JSON.stringify(CANARY_PROMPT)}`,
    `upstream said "${CANARY_PROMPT.slice(8, 30)}…"`,
    `No such key ${CANARY_KEY}`,
    CANARY_PROMPT.toUpperCase().replaceAll(' ', '\n'),
  ];
  router.logged.length = 0;
  for (const echo of echoes) {
    const error = { code: 400, message: echo, metadata: { raw: echo, error_type: CANARY_KEY, flagged_input: echo } };
    const results = [await router.chat(status(400, { error })), await router.chat(bytes([event({ error })]))];
    const shown = JSON.stringify([results, router.logged]);
    expect(shown).not.toMatch(/canary|recipe|herbs|spices/i);
    expect(results).toMatchObject([{ failure: { message: '' } }, { failure: { message: '' } }]);
  }
  expect(router.logged.length).toBeGreaterThan(0);
});

test('a chat call that is aborted before it begins sends nothing', async () => {
  router.upstream.script(bytes(goodStream('unheard')));
  const call = { apiKey: CANARY_KEY, signal: AbortSignal.abort(), deadlineMs: Date.now() + 5_000 };
  expect(await router.client.chat(canaryRequest, call)).toMatchObject({ ok: false, failure: { kind: 'aborted' } });
  expect(router.upstream.seen).toHaveLength(0);
});

test('a key that cannot stand in a header fails without being shown', async () => {
  const call = { apiKey: 'sk-canary\r\nx: y', signal: new AbortController().signal, deadlineMs: Date.now() + 900 };
  const result = await router.client.chat(canaryRequest, call);
  expect(result.ok).toBe(false);
  expect(JSON.stringify([result, router.logged])).not.toContain('canary');
});
