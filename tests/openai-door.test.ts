import { decodePaymentRequiredHeader } from '@x402/core/http';
import { ExactEvmSchemeV1 } from '@x402/evm/v1';
import { decodePaymentResponseHeader, x402Client, x402HTTPClient } from '@x402/fetch';
import OpenAI from 'openai';
import type { PrivateKeyAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listKinds } from '../src/plugins.ts';
import { makeKey } from './support/make-key.ts';
import { caught, openClient } from './support/openai-client.ts';
import { countRuns, send, signFor } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { startStreamSource, type StreamSource } from './support/stream-source.ts';
import { openToyStream } from './support/toy-stream.ts';

const app = useApp({}, { listKinds: (deps) => [...listKinds(deps), openToyStream()] });
let source: StreamSource;
let creator: Creator;
let apiKey: string;

const essay = { model: 'ada/essay', messages: [{ role: 'user' as const, content: 'rivers' }] };

beforeAll(async () => {
  source = await startStreamSource();
  creator = await app.current.makeCreator('ada');
  await creator.publish({ slug: 'essay' });
  apiKey = (await makeKey(creator, ['resources:write'])).secret;
});

afterAll(() => source.close());

/** A payment for the body, as clients sign one for what the 402 asks. */
async function signFor402(buyer: PrivateKeyAccount, body: object, path = '/v1/chat/completions'): Promise<string> {
  const { headers } = await send(`${app.current.url}${path}`, { body });
  return signFor(buyer, decodePaymentRequiredHeader(headers.get('PAYMENT-REQUIRED') ?? ''));
}

const spentBy = async (buyer: PrivateKeyAccount) => 10_000_000n - (await app.current.balanceOf(buyer.address));

describe('paid by x402 with the unmodified client', () => {
  test('a completion costs its price once and brings its receipt in body and headers', async () => {
    const buyer = await app.current.makeBuyer();
    const { data, response } = await openClient(app.current, { buyer }).chat.completions.create(essay).withResponse();
    expect(data).toMatchObject({
      object: 'chat.completion',
      model: 'ada/essay',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: expect.any(String) } }],
      usage: { prompt_tokens: expect.any(Number), completion_tokens: expect.any(Number) },
      farebox: { simulated: true, receipt: { paidUsdc: '0.01', payer: buyer.address.toLowerCase(), callId: data.id } },
    });
    expect(data.choices[0]?.message.content).toContain('[simulated]');
    expect(await spentBy(buyer)).toBe(10_000n);
    const settled = decodePaymentResponseHeader(response.headers.get('PAYMENT-RESPONSE') ?? '');
    expect(settled).toMatchObject({ success: true });
    const receipt = JSON.parse(Buffer.from(response.headers.get('X-Farebox-Receipt') ?? '', 'base64').toString());
    expect(receipt).toMatchObject({ callId: data.id, transaction: settled.transaction });
    expect(response.headers.get('Cache-Control')).toBe('private, no-store');
  });

  test('a stream adds up to a completion, with usage where asked for, its receipt and settlement', async () => {
    const buyer = await app.current.makeBuyer();
    const stream = openClient(app.current, { buyer }).chat.completions.stream({
      ...essay,
      stream_options: { include_usage: true },
    });
    const chunks: object[] = [];
    for await (const chunk of stream) {
      chunks.push(chunk);
    }
    const { choices, usage } = await stream.finalChatCompletion();
    expect(choices[0]).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant' } });
    expect(choices[0]?.message.content).toContain('[simulated]');
    expect(usage?.total_tokens).toBeGreaterThan(0);
    expect(chunks.at(-2)).toMatchObject({ farebox: { receipt: { paidUsdc: '0.01' } }, usage: null });
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: usage?.total_tokens } });
    expect(await spentBy(buyer)).toBe(10_000n);
  });

  test('a response, whole and as events', async () => {
    const buyer = await app.current.makeBuyer();
    const client = openClient(app.current, { buyer });
    const whole = await client.responses.create({ model: 'ada/essay', input: 'rivers' });
    expect(whole).toMatchObject({
      object: 'response',
      status: 'completed',
      farebox: { receipt: { paidUsdc: '0.01' } },
    });
    expect(whole.output_text).toContain('[simulated]');
    const stream = client.responses.stream({ model: 'ada/essay', input: 'rivers' });
    const types: string[] = [];
    for await (const event of stream) {
      types.push(event.type);
      expect(event.sequence_number).toBe(types.length - 1);
    }
    const last = await stream.finalResponse();
    expect(last.output_text).toContain('[simulated]');
    expect(types.slice(0, 2)).toEqual(['response.created', 'response.in_progress']);
    expect(types.at(-1)).toBe('response.completed');
    expect(await spentBy(buyer)).toBe(20_000n);
  });

  test('the same payment again gives the same answer, and buys nothing else', async () => {
    const buyer = await app.current.makeBuyer();
    const body = { ...essay, messages: [{ role: 'user', content: 'replayed' }] };
    const url = `${app.current.url}/v1/chat/completions`;
    const payment = await signFor402(buyer, body);
    const first = await send(url, { body, payment });
    expect(first.status).toBe(200);
    expect(await send(url, { body, payment })).toMatchObject({ status: 200, body: first.body });
    const elsewhere = await send(`${app.current.url}/@ada/essay`, { body: { topic: 'replayed' }, payment });
    expect(elsewhere).toMatchObject({ status: 409, body: { code: 'payment_in_use' } });
    const changed = await send(url, { body: { ...body, temperature: 1 }, payment });
    expect(changed).toMatchObject({ status: 409, body: { error: { code: 'payment_in_use' } } });
    expect(changed.headers.get('X-Should-Retry')).toBe('false');
    expect(countRuns(app.current, 'replayed')).toBe(1);
    expect(await spentBy(buyer)).toBe(10_000n);
  });

  test('a client of x402 version 1 reads the offers beside the error, and pays', async () => {
    const buyer = await app.current.makeBuyer();
    const client = new x402Client().registerV1('base-sepolia', new ExactEvmSchemeV1(buyer));
    const http = new x402HTTPClient(client);
    const url = `${app.current.url}/v1/chat/completions`;
    const required = http.getPaymentRequiredResponse(() => null, (await send(url, { body: essay })).body);
    const headers = http.encodePaymentSignatureHeader(await client.createPaymentPayload(required));
    expect(Object.keys(headers)).toEqual(['X-PAYMENT']);
    expect(await send(url, { body: essay, headers })).toMatchObject({
      status: 200,
      body: { object: 'chat.completion' },
    });
    expect(await spentBy(buyer)).toBe(10_000n);
  });

  test('one payment sent to both doors at once runs once', async () => {
    const buyer = await app.current.makeBuyer();
    const body = { ...essay, messages: [{ role: 'user', content: 'raced' }] };
    const payment = await signFor402(buyer, body);
    const answers = await Promise.all([
      send(`${app.current.url}/v1/chat/completions`, { body, payment }),
      send(`${app.current.url}/@ada/essay`, { body: { topic: 'raced' }, payment }),
    ]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]));
    expect(countRuns(app.current, 'raced')).toBe(1);
    expect(await spentBy(buyer)).toBe(10_000n);
  });

  test('a client that retries by itself does not pay twice', async () => {
    const buyer = await app.current.makeBuyer();
    const body = { ...essay, messages: [{ role: 'user' as const, content: 'retried' }] };
    const payment = await signFor402(buyer, body);
    await send(`${app.current.url}/@ada/essay`, { body: { topic: 'retried' }, payment });
    let requests = 0;
    const sending: typeof fetch = (input, init) => {
      requests += 1;
      const headers = new Headers(init?.headers);
      headers.set('PAYMENT-SIGNATURE', payment);
      return fetch(input, { ...init, headers });
    };
    const client = new OpenAI({ baseURL: `${app.current.url}/v1`, apiKey: 'unused', maxRetries: 2, fetch: sending });
    const error = await caught(client.chat.completions.create(body));
    expect(error).toBeInstanceOf(OpenAI.ConflictError);
    expect(error).toMatchObject({ code: 'payment_in_use' });
    expect(requests).toBe(1);
  });

  test('a run that fails charges nothing, and says so in the client’s own error', async () => {
    const buyer = await app.current.makeBuyer();
    app.current.sandbox?.openRouter?.control.fail('ok_empty', { times: 9 });
    const error = await caught(openClient(app.current, { buyer }).chat.completions.create(essay));
    app.current.sandbox?.openRouter?.control.clearFaults();
    expect(error).toBeInstanceOf(OpenAI.InternalServerError);
    expect(error).toMatchObject({ code: 'upstream_failed', error: { charged: false, receipt: { charged: false } } });
    expect(await spentBy(buyer)).toBe(0n);
  });
});

describe('without a payment', () => {
  test('the answer is the 402 of the paid call, with an error that the client reads', async () => {
    const error = await caught(openClient(app.current).chat.completions.create(essay));
    expect(error).toMatchObject({ status: 402, type: 'payment_required', code: 'payment_required' });
    expect(error.headers?.get('PAYMENT-REQUIRED')).toEqual(expect.any(String));
    const { body, headers } = await send(`${app.current.url}/v1/chat/completions`, { body: essay });
    expect(body).toMatchObject({ x402Version: 1, accepts: [{ maxAmountRequired: '10000' }], error: { param: null } });
    expect(headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(headers.get('Cache-Control')).toBe('no-store');
  });

  test('its owner runs it with an API key; the key of somebody else buys nothing', async () => {
    const client = openClient(app.current, { apiKey });
    const mine = await client.chat.completions.create(essay);
    expect(mine).toMatchObject({ farebox: { test: true, receipt: { paidUsdc: '0', transaction: null } } });
    const other = await app.current.makeCreator('bob');
    const key = (await makeKey(other, ['resources:write'])).secret;
    const refused = await caught(openClient(app.current, { apiKey: key }).chat.completions.create(essay));
    expect(refused).toMatchObject({ status: 402, message: expect.stringContaining('API key') });
    const weak = (await makeKey(creator, ['resources:read'])).secret;
    expect(await caught(openClient(app.current, { apiKey: weak }).chat.completions.create(essay))).toMatchObject({
      status: 402,
    });
    const unknown = `fbx_${'A'.repeat(43)}`;
    expect(await caught(openClient(app.current, { apiKey: unknown }).chat.completions.create(essay))).toMatchObject({
      status: 402,
    });
    const cookie = await send(`${app.current.url}/v1/chat/completions`, { body: essay, cookie: creator.cookie });
    expect(cookie.status).toBe(402);
  });
});

describe('an answer that comes bit by bit', () => {
  const asked = (content: string) => ({ model: 'ada/bits', messages: [{ role: 'user' as const, content }] });
  beforeAll(async () => {
    const config = { source: source.url, form: 'parts' };
    await creator.publish({ slug: 'bits', kind: 'toy_stream', settlementPoint: 'at_first_output', config });
  });

  test('goes out in its pieces, or whole where no stream is asked for', async () => {
    const buyer = await app.current.makeBuyer();
    const pieces: string[] = [];
    for await (const chunk of await openClient(app.current, { buyer }).chat.completions.create({
      ...asked('whole'),
      stream: true,
    })) {
      pieces.push(chunk.choices[0]?.delta.content ?? '');
    }
    expect(pieces.join('')).toBe('one two three');
    expect(pieces.length).toBeGreaterThan(3);
    const whole = await openClient(app.current, { buyer }).chat.completions.create(asked('whole'));
    expect(whole.choices[0]?.message.content).toBe('one two three');
    expect(await spentBy(buyer)).toBe(20_000n);
  });

  test('is the same stream again for the same payment', async () => {
    const buyer = await app.current.makeBuyer();
    const body = { ...asked('again'), stream: true };
    const payment = await signFor402(buyer, body);
    const read = async (): Promise<string[]> => {
      const response = await fetch(`${app.current.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'PAYMENT-SIGNATURE': payment },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      expect(text).toMatch(/data: \[DONE\]\n\n$/);
      return [...text.matchAll(/"content":"([^"]+)"/g)].map((found) => found[1] ?? '');
    };
    expect((await read()).join('')).toBe('one two three');
    expect((await read()).join('')).toBe('one two three');
    expect(source.countRuns('again')).toBe(1);
  });

  test('comes from a model too, as chunks and as events', async () => {
    await creator.publish({ slug: 'live', settlementPoint: 'at_first_output' });
    const buyer = await app.current.makeBuyer();
    const client = openClient(app.current, { buyer });
    const model = 'ada/live';
    const whole = await client.chat.completions.create({ ...essay, model });
    const text = whole.choices[0]?.message.content ?? '';
    const stream = client.chat.completions.stream({ ...essay, model });
    expect(await stream.finalContent()).toBe(text);
    const events = client.responses.stream({ model, input: 'rivers' });
    expect((await events.finalResponse()).output_text).toBe(text);
    expect(await spentBy(buyer)).toBe(30_000n);
  });

  test('goes out while it is made', async () => {
    const buyer = await app.current.makeBuyer();
    const held = source.hold('held', 1);
    const stream = await openClient(app.current, { buyer }).chat.completions.create({ ...asked('held'), stream: true });
    const chunks = stream[Symbol.asyncIterator]();
    await held;
    await chunks.next();
    const first = await chunks.next();
    expect(first.value?.choices[0]?.delta.content).toBe('one ');
    expect(await spentBy(buyer)).toBe(10_000n);
    source.release();
    expect((await chunks.next()).value?.choices[0]?.delta.content).toBe('two ');
    stream.controller.abort();
  });

  test.each([true, false])(
    'and breaks off is the client’s error, and tells that money moved (stream: %j)',
    async (stream) => {
      const buyer = await app.current.makeBuyer();
      const topic = `breaks ${stream}`;
      source.script(topic, [{ text: 'one ' }, { fail: true }]);
      const client = openClient(app.current, { buyer });
      const error = await caught(
        (async () => {
          const answer = await client.chat.completions.create({ ...asked(topic), stream });
          for await (const _ of answer as AsyncIterable<unknown>) {
            // Until it breaks.
          }
        })(),
      );
      expect(error).toMatchObject({ error: { charged: true } });
    },
  );
});
