import { decodePaymentRequiredHeader } from '@x402/core/http';
import { createOpenRouter } from '@openrouter/ai-sdk-provider';
import { generateText, streamText } from 'ai';
import OpenAI from 'openai';
import type { PrivateKeyAccount } from 'viem/accounts';
import { beforeAll, describe, expect, test } from 'vitest';
import { makePng, toDataUrl } from './support/files.ts';
import { makeKey } from './support/make-key.ts';
import { caught, openClient, payingFetch } from './support/openai-client.ts';
import { send, signFor } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

/* What clients of OpenAI send to resources of all sorts, and what they get. */
const app = useApp();
let creator: Creator;
let apiKey: string;

const essay = { model: 'ada/essay', messages: [{ role: 'user' as const, content: 'rivers' }] };

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
  await creator.publish({ slug: 'essay' });
  apiKey = (await makeKey(creator, ['resources:write'])).secret;
});

const lastPrompt = () => JSON.stringify(app.current.sandbox?.openRouter?.control.requests.at(-1)?.body);

describe('what cannot be mapped is refused before anybody is asked to pay', () => {
  test.each<[string, object, string | null]>([
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools'],
    ['a system prompt', { messages: [{ role: 'system', content: 'x' }, ...essay.messages] }, 'messages[0]'],
    ['a model that is no text', { model: 4 }, 'model'],
    ['a stream that is neither wanted nor not', { stream: 'yes' }, 'stream'],
  ])('%s', async (_, changes, param) => {
    const error = await caught(openClient(app.current).chat.completions.create({ ...essay, ...changes }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ code: 'invalid_input', type: 'invalid_request_error', param });
  });

  test('a resource that is not there, as the client’s own error', async () => {
    const error = await caught(openClient(app.current).chat.completions.create({ ...essay, model: 'ada/nothing' }));
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({ code: 'not_found', param: 'model' });
  });

  test('a parameter that the resource has not, with its payment: uncharged', async () => {
    const buyer = await app.current.makeBuyer();
    const asked = { ...essay, colour: 'red' } as typeof essay;
    const error = await caught(openClient(app.current, { buyer }).chat.completions.create(asked));
    expect(error).toMatchObject({ status: 400, param: 'colour', error: { charged: false } });
    expect(await app.current.balanceOf(buyer.address)).toBe(10_000_000n);
  });

  test('other methods, and bodies that are too large or no JSON', async () => {
    const url = `${app.current.url}/v1/chat/completions`;
    const got = await send(url, { method: 'GET' });
    expect(got).toMatchObject({ status: 405, body: { error: { code: 'method_not_allowed' } } });
    expect(got.headers.get('Allow')).toBe('POST, OPTIONS');
    expect(await send(url, { body: '[' })).toMatchObject({ status: 400, body: { error: { code: 'invalid_input' } } });
    const large = { ...essay, messages: [{ role: 'user', content: 'x'.repeat(300 * 1024) }] };
    expect(await send(url, { body: large })).toMatchObject({ status: 413, body: { error: { code: 'too_large' } } });
    const error = { code: 'not_found', type: 'invalid_request_error' };
    const unknown = await send(`${app.current.url}/v1/embeddings`, { body: {} });
    expect(unknown).toMatchObject({ status: 404, body: { error } });
  });
});

test('of a chat the last message counts; that the turns before do not is told before paying', async () => {
  const turn = { role: 'assistant' as const, content: 'an earlier turn' };
  const body = { ...essay, messages: [...essay.messages, turn, ...essay.messages] };
  const { headers } = await send(`${app.current.url}/v1/chat/completions`, { body });
  expect([headers.has('PAYMENT-REQUIRED'), headers.get('X-Farebox-Ignored')]).toEqual([true, 'messages (2 earlier)']);
  const answer = await openClient(app.current, { apiKey }).chat.completions.create(body);
  expect(answer).toHaveProperty('farebox.ignored', ['messages (2 earlier)']);
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
    const { data, response } = await openClient(app.current, { apiKey })
      .chat.completions.create({ ...asked, metadata })
      .withResponse();
    expect(data).toMatchObject({ farebox: { ignored: ['temperature', 'metadata.session'] } });
    expect(response.headers.get('X-Farebox-Ignored')).toBe('temperature, metadata.session');
    expect(lastPrompt()).toContain('snow in 3 lines; rhymes: true.');
    const held = { ...asked, extra_body: { lines: 4, rhymes: true } } as typeof asked;
    await openClient(app.current, { apiKey }).chat.completions.create(held);
    expect(lastPrompt()).toContain('snow in 4 lines; rhymes: true.');
    const tooMany = { ...asked, lines: 12 } as typeof asked;
    const error = await caught(openClient(app.current, { apiKey }).chat.completions.create(tooMany));
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
    const answer = await openClient(app.current, { apiKey }).chat.completions.create({
      ...asked,
      metadata: { reader: 'a child' },
    });
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
    const answer = await openClient(app.current, { apiKey }).chat.completions.create({
      ...essay,
      model: 'ada/census',
      response_format: { type: 'json_object' },
    });
    expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual({ city: expect.any(String) });
    const stream = openClient(app.current, { apiKey }).chat.completions.stream({ ...essay, model: 'ada/census' });
    expect(JSON.parse((await stream.finalContent()) ?? '')).toEqual({ city: expect.any(String) });
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
    const answer = await openClient(app.current, { buyer }).chat.completions.create({
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
    expect(await app.current.balanceOf(buyer.address)).toBe(9_950_000n);
  });
});

test('what is free is answered, whatever key the client sends', async () => {
  await creator.publish({ slug: 'gift', priceUsdc: '0', acceptsLoss: { maxLossUsdPerCall: '0.01' } });
  const answer = await openClient(app.current, { apiKey: `fbx_${'A'.repeat(43)}` }).chat.completions.create({
    ...essay,
    model: '@ada/gift',
  });
  expect(answer).toMatchObject({ model: 'ada/gift', farebox: { receipt: { paidUsdc: '0', transaction: null } } });
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

describe('the AI SDK, with its provider of OpenRouter', () => {
  const question = { prompt: 'rivers', maxRetries: 0 };
  const modelOf = (buyer: PrivateKeyAccount) =>
    createOpenRouter({ apiKey: 'unused', baseURL: `${app.current.url}/v1`, fetch: payingFetch(buyer) })('ada/essay');

  test('pays for text, whole and streamed', async () => {
    const buyer = await app.current.makeBuyer();
    const { text } = await generateText({ model: modelOf(buyer), ...question });
    expect(text).toContain('[simulated]');
    const pieces: string[] = [];
    for await (const piece of streamText({ model: modelOf(buyer), ...question }).textStream) {
      pieces.push(piece);
    }
    expect(pieces.join('')).toBe(text);
    expect(await app.current.balanceOf(buyer.address)).toBe(9_980_000n);
  });

  test('reads a refusal', async () => {
    const buyer = await app.current.makeBuyer();
    const asked = generateText({ model: modelOf(buyer), ...question, system: 'Be brief.' });
    await expect(asked).rejects.toThrow('one message of the user');
    expect(await app.current.balanceOf(buyer.address)).toBe(10_000_000n);
  });
});

test('what was paid is there for its payment also after the resource was changed so that it cannot be called here', async () => {
  const { id } = await creator.publish({ slug: 'changing' });
  const buyer = await app.current.makeBuyer();
  const body = { ...essay, model: 'ada/changing' };
  const url = `${app.current.url}/v1/chat/completions`;
  const { headers } = await send(url, { body });
  const required = decodePaymentRequiredHeader(headers.get('PAYMENT-REQUIRED') ?? '');
  const [payment, unused] = [await signFor(buyer, required), await signFor(buyer, required)];
  const first = await send(url, { body, payment });
  expect(first.status).toBe(200);
  const long = { runsLong: true, timeoutSeconds: 3_600, settlementPoint: 'upfront' };
  expect(await creator.call('PATCH', `/api/resources/${id}`, long)).toMatchObject({ status: 200 });
  expect(await creator.call('POST', `/api/resources/${id}/publish`, {})).toMatchObject({ status: 200 });
  const refused = { status: 400, body: { error: { code: 'invalid_input', param: 'model' } } };
  await expect.poll(() => send(url, { body })).toMatchObject(refused);
  expect(await send(url, { body, payment })).toMatchObject({ status: 200, body: first.body });
  const uncharged = await send(url, { body, payment: unused });
  expect(uncharged).toMatchObject({ ...refused, body: { error: { ...refused.body.error, charged: false } } });
  const page = await (await fetch(`${app.current.url}/resources/ada/changing`)).text();
  expect(page).toContain('fetched later');
  expect(page).not.toContain('For clients of OpenAI');
  expect(await app.current.balanceOf(buyer.address)).toBe(9_990_000n);
});
