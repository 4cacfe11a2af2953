import { decodePaymentRequiredHeader } from '@x402/core/http';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from '@x402/fetch';
import OpenAI from 'openai';
import type { PrivateKeyAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listKinds } from '../src/plugins.ts';
import { makePng, toDataUrl } from './support/files.ts';
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
  apiKey = await makeKey(creator, ['resources:write']);
});

afterAll(() => source.close());

async function makeKey(owner: Creator, scopes: string[]): Promise<string> {
  const { body } = await owner.call('POST', '/api/user/api-keys', { label: 'door', scopes });
  return String(body['secret']);
}

/** The unmodified client; it demands a key, which is nobody's unless given. */
function openClient(options: { buyer?: PrivateKeyAccount; apiKey?: string; maxRetries?: number } = {}): OpenAI {
  const { buyer, apiKey: key = 'unused', maxRetries = 0 } = options;
  const paying = buyer && wrapFetchWithPayment(fetch, new x402Client().register('eip155:*', new ExactEvmScheme(buyer)));
  return new OpenAI({
    baseURL: `${app.current.url}/v1`,
    apiKey: key,
    maxRetries,
    ...(paying ? { fetch: paying } : {}),
  });
}

async function caught(promise: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof OpenAI.APIError)) {
    throw new Error('The client did not throw an error of its own.', { cause: error });
  }
  return error;
}

/** A payment for the body, as clients sign one for what the 402 asks. */
async function signFor402(buyer: PrivateKeyAccount, body: object, path = '/v1/chat/completions'): Promise<string> {
  const { headers } = await send(`${app.current.url}${path}`, { body });
  return signFor(buyer, decodePaymentRequiredHeader(headers.get('PAYMENT-REQUIRED') ?? ''));
}

const spentBy = async (buyer: PrivateKeyAccount) => 10_000_000n - (await app.current.balanceOf(buyer.address));

describe('paid by x402 with the unmodified client', () => {
  test('a completion costs its price once and brings its receipt in body and headers', async () => {
    const buyer = await app.current.makeBuyer();
    const { data, response } = await openClient({ buyer }).chat.completions.create(essay).withResponse();
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
    const stream = openClient({ buyer }).chat.completions.stream({ ...essay, stream_options: { include_usage: true } });
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
    const client = openClient({ buyer });
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

  test('one payment sent to both doors at once runs once', async () => {
    const buyer = await app.current.makeBuyer();
    const body = { ...essay, messages: [{ role: 'user', content: 'raced' }] };
    const payment = await signFor402(buyer, body);
    const answers = await Promise.all([
      send(`${app.current.url}/v1/chat/completions`, { body, payment }),
      send(`${app.current.url}/@ada/essay`, { body: { topic: 'raced' }, payment }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
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
    const error = await caught(openClient({ buyer }).chat.completions.create(essay));
    app.current.sandbox?.openRouter?.control.clearFaults();
    expect(error).toBeInstanceOf(OpenAI.InternalServerError);
    expect(error).toMatchObject({ code: 'upstream_failed', error: { charged: false, receipt: { charged: false } } });
    expect(await spentBy(buyer)).toBe(0n);
  });
});

describe('without a payment', () => {
  test('the answer is the 402 of the paid call, with an error that the client reads', async () => {
    const error = await caught(openClient().chat.completions.create(essay));
    expect(error).toMatchObject({ status: 402, type: 'payment_required', code: 'payment_required' });
    expect(error.headers?.get('PAYMENT-REQUIRED')).toEqual(expect.any(String));
    const { body, headers } = await send(`${app.current.url}/v1/chat/completions`, { body: essay });
    expect(body).toMatchObject({ x402Version: 1, accepts: [{ maxAmountRequired: '10000' }], error: { param: null } });
    expect(headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(headers.get('Cache-Control')).toBe('no-store');
  });

  test('its owner runs it with an API key; the key of somebody else buys nothing', async () => {
    const client = openClient({ apiKey });
    const mine = await client.chat.completions.create(essay);
    expect(mine).toMatchObject({ farebox: { test: true, receipt: { paidUsdc: '0', transaction: null } } });
    const other = await app.current.makeCreator('bob');
    const key = await makeKey(other, ['resources:write']);
    const refused = await caught(openClient({ apiKey: key }).chat.completions.create(essay));
    expect(refused).toMatchObject({ status: 402, message: expect.stringContaining('API key') });
    const weak = await makeKey(creator, ['resources:read']);
    expect(await caught(openClient({ apiKey: weak }).chat.completions.create(essay))).toMatchObject({ status: 402 });
    const unknown = `fbx_${'A'.repeat(43)}`;
    expect(await caught(openClient({ apiKey: unknown }).chat.completions.create(essay))).toMatchObject({ status: 402 });
    const cookie = await send(`${app.current.url}/v1/chat/completions`, { body: essay, cookie: creator.cookie });
    expect(cookie.status).toBe(402);
  });

  test('what is free is answered, whatever key the client sends', async () => {
    await creator.publish({ slug: 'gift', priceUsdc: '0', acceptsLoss: { maxLossUsdPerCall: '0.01' } });
    const answer = await openClient({ apiKey: `fbx_${'A'.repeat(43)}` }).chat.completions.create({
      ...essay,
      model: '@ada/gift',
    });
    expect(answer).toMatchObject({ model: 'ada/gift', farebox: { receipt: { paidUsdc: '0', transaction: null } } });
  });
});

describe('what cannot be mapped is refused before anybody is asked to pay', () => {
  test.each<[string, object, string | null]>([
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools'],
    ['a system prompt', { messages: [{ role: 'system', content: 'x' }, ...essay.messages] }, 'messages[0]'],
    ['a model that is no id', { model: 'gpt-4o' }, 'model'],
  ])('%s', async (_, changes, param) => {
    const error = await caught(openClient().chat.completions.create({ ...essay, ...changes }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ code: 'invalid_input', type: 'invalid_request_error', param });
  });

  test('a resource that is not there, as the client’s own error', async () => {
    const error = await caught(openClient().chat.completions.create({ ...essay, model: 'ada/nothing' }));
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({ code: 'not_found', param: 'model' });
  });

  test('a parameter that the resource has not, with its payment: uncharged', async () => {
    const buyer = await app.current.makeBuyer();
    const error = await caught(
      openClient({ buyer }).chat.completions.create({ ...essay, colour: 'red' } as typeof essay),
    );
    expect(error).toMatchObject({ status: 400, param: 'colour', error: { charged: false } });
    expect(await spentBy(buyer)).toBe(0n);
  });

  test('other methods, and bodies that are too large or no JSON', async () => {
    const url = `${app.current.url}/v1/chat/completions`;
    const got = await send(url, { method: 'GET' });
    expect(got).toMatchObject({ status: 405, body: { error: { code: 'method_not_allowed' } } });
    expect(got.headers.get('Allow')).toBe('POST, OPTIONS');
    expect(await send(url, { body: '[' })).toMatchObject({ status: 400, body: { error: { code: 'invalid_input' } } });
    const large = { ...essay, messages: [{ role: 'user', content: 'x'.repeat(300 * 1024) }] };
    expect(await send(url, { body: large })).toMatchObject({ status: 413, body: { error: { code: 'too_large' } } });
    expect(await send(`${app.current.url}/v1/embeddings`, { body: {} })).toMatchObject({
      status: 404,
      body: { error: { code: 'not_found', type: 'invalid_request_error' } },
    });
  });
});

test('a browser may ask and pay from any page', async () => {
  const response = await fetch(`${app.current.url}/v1/chat/completions`, {
    method: 'OPTIONS',
    headers: {
      Origin: 'https://chat.example',
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization,content-type,payment-signature,x-stainless-os',
    },
  });
  expect(response.status).toBe(204);
  expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
  expect(response.headers.get('Access-Control-Allow-Methods')).toBe('POST');
  expect(response.headers.get('Access-Control-Allow-Headers')).toContain('x-stainless-os');
});

describe('parameters', () => {
  test('come by their names, and what has no effect is told', async () => {
    await creator.publish({
      slug: 'verse',
      parameters: [
        { name: 'topic', type: 'string' },
        { name: 'lines', type: 'integer', minimum: 1, maximum: 9 },
        { name: 'rhymes', type: 'boolean', default: false },
      ],
      config: {
        modelId: 'openai/gpt-4o-mini',
        systemPrompt: '{topic}{/topic} in {lines}{/lines} lines; rhymes: {rhymes}{/rhymes}.',
        maxTokens: 60,
      },
    });
    const asked = { model: 'ada/verse', messages: [{ role: 'user' as const, content: 'snow' }], temperature: 0.1 };
    const metadata = { lines: '3', rhymes: 'true', session: '7' };
    const { data, response } = await openClient({ apiKey })
      .chat.completions.create({ ...asked, metadata })
      .withResponse();
    expect(data).toMatchObject({ farebox: { ignored: ['temperature', 'metadata.session'] } });
    expect(response.headers.get('X-Farebox-Ignored')).toBe('temperature, metadata.session');
    expect(JSON.stringify(app.current.sandbox?.openRouter?.control.requests.at(-1)?.body)).toContain(
      'snow in 3 lines; rhymes: true.',
    );
    const error = await caught(openClient({ apiKey }).chat.completions.create({ ...asked, lines: 12 } as typeof asked));
    expect(error).toMatchObject({ status: 400, param: 'lines' });
  });

  test('the message is `user_message` where the creator allows one', async () => {
    await creator.publish({
      slug: 'plain',
      kind: 'prompt_template',
      parameters: [{ name: 'reader', type: 'string' }],
      config: {
        model: 'openai/gpt-4o-mini',
        systemPrompt: 'Rewrite for {reader}{/reader}.',
        allowsUserMessage: true,
        maxTokens: 60,
      },
      acceptsLoss: { maxLossUsdPerCall: '0.1' },
    });
    const asked = { model: 'ada/plain@1', messages: [{ role: 'user' as const, content: 'a hard text' }] };
    const answer = await openClient({ apiKey }).chat.completions.create({ ...asked, metadata: { reader: 'a child' } });
    expect(answer.model).toBe('ada/plain@1');
    const { body } = app.current.sandbox?.openRouter?.control.requests.at(-1) ?? {};
    expect(body).toMatchObject({
      messages: [{ content: 'Rewrite for a child.' }, { role: 'user', content: 'a hard text' }],
    });
  });

  test('promised JSON comes as the text of the message', async () => {
    const outputSchema = {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    };
    const config = { modelId: 'openai/gpt-4o-mini', systemPrompt: '{topic}{/topic}', maxTokens: 60, outputSchema };
    await creator.publish({ slug: 'census', config, acceptsLoss: { maxLossUsdPerCall: '0.1' } });
    const answer = await openClient({ apiKey }).chat.completions.create({
      ...essay,
      model: 'ada/census',
      response_format: { type: 'json_object' },
    });
    expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual({ city: expect.any(String) });
  });

  test('a picture in the message fills the parameter that takes one, and a picture in the answer is shown as OpenRouter does', async () => {
    await creator.publish({
      slug: 'postcard',
      priceUsdc: '0.05',
      acceptsLoss: { maxLossUsdPerCall: '0.5' },
      category: 'media',
      parameters: [
        { name: 'photo', type: 'image' },
        { name: 'style', type: 'string' },
      ],
      config: {
        modelId: 'google/gemini-2.5-flash-image',
        systemPrompt: 'Paint {photo}{/photo} as {style}{/style}.',
        maxTokens: 4096,
      },
    });
    const url = toDataUrl('image/png', makePng(30, 20));
    const buyer = await app.current.makeBuyer();
    const answer = await openClient({ buyer }).chat.completions.create({
      model: 'ada/postcard',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'oil' },
            { type: 'image_url', image_url: { url } },
          ],
        },
      ],
    });
    expect(answer).toMatchObject({
      choices: [
        { message: { images: [{ type: 'image_url', image_url: { url: expect.stringContaining('/api/images/') } }] } },
      ],
      farebox: { media: [{ kind: 'image' }], receipt: { media: [{ contentType: 'image/png' }] } },
    });
    expect(await spentBy(buyer)).toBe(50_000n);
  });
});

describe('the models', () => {
  test('are the published resources, a page at a time', async () => {
    await creator.publish({ slug: 'aside' });
    const ids: string[] = [];
    for await (const model of openClient().models.list()) {
      ids.push(model.id);
    }
    expect(ids).toEqual(expect.arrayContaining(['ada/essay', 'ada/aside', 'demo/haiku']));
    const url = `${app.current.url}/v1/models`;
    const first = await send(`${url}?limit=2`, { method: 'GET' });
    expect(first.body).toMatchObject({ data: [{ id: ids[0] }, { id: ids[1] }], has_more: true, last_id: ids[1] });
    const next = await send(`${url}?limit=2&after=${ids[1]}`, { method: 'GET' });
    expect(next.body).toMatchObject({ data: [{ id: ids[2] }, { id: ids[3] }] });
    expect(await send(`${url}?limit=0`, { method: 'GET' })).toMatchObject({
      status: 400,
      body: { error: { param: 'limit' } },
    });
  });

  test('are told one by one, in every spelling of their id', async () => {
    const model = await openClient().models.retrieve('ada/essay');
    expect(model).toMatchObject({ id: 'ada/essay', object: 'model', owned_by: 'ada', pricing: { request: '0.01' } });
    expect(model.created).toBeGreaterThan(1_500_000_000);
    for (const [path, id] of [
      ['ada/essay', 'ada/essay'],
      ['@ada/essay', 'ada/essay'],
      ['ada%2Fessay%401', 'ada/essay@1'],
      ['ada/essay@1', 'ada/essay@1'],
    ]) {
      expect(await send(`${app.current.url}/v1/models/${path}`, { method: 'GET' })).toMatchObject({
        status: 200,
        body: { id },
      });
    }
    expect(await caught(openClient().models.retrieve('ada/nothing'))).toBeInstanceOf(OpenAI.NotFoundError);
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
    for await (const chunk of await openClient({ buyer }).chat.completions.create({
      ...asked('whole'),
      stream: true,
    })) {
      pieces.push(chunk.choices[0]?.delta.content ?? '');
    }
    expect(pieces.join('')).toBe('one two three');
    expect(pieces.length).toBeGreaterThan(3);
    const whole = await openClient({ buyer }).chat.completions.create(asked('whole'));
    expect(whole.choices[0]?.message.content).toBe('one two three');
    expect(await spentBy(buyer)).toBe(20_000n);
  });

  test('goes out while it is made', async () => {
    const buyer = await app.current.makeBuyer();
    const held = source.hold('held', 1);
    const stream = await openClient({ buyer }).chat.completions.create({ ...asked('held'), stream: true });
    const chunks = stream[Symbol.asyncIterator]();
    await held;
    await chunks.next();
    const first = await chunks.next();
    expect(first.value?.choices[0]?.delta.content).toBe('one ');
    expect(await spentBy(buyer)).toBe(10_000n);
    source.release();
    expect((await chunks.next()).value?.choices[0]?.delta.content).toBe('two ');
    await stream.controller.abort();
  });

  test.each([true, false])(
    'and breaks off is the client’s error, and tells that money moved (stream: %j)',
    async (stream) => {
      const buyer = await app.current.makeBuyer();
      const topic = `breaks ${stream}`;
      source.script(topic, [{ text: 'one ' }, { fail: true }]);
      const client = openClient({ buyer });
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
