import { ExactEvmScheme } from '@x402/evm/exact/client';
import { wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { createHash, randomBytes } from 'node:crypto';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { listNames, openEvents, toText } from './support/open-events.ts';
import { countRuns, getChallenge, payFor, send } from './support/paid-request.ts';
import { toPoem } from './support/scripted-drafts.ts';
import { delta, DONE, startScriptedUpstream, usageChunk, type ScriptedUpstream } from './support/scripted-upstream.ts';
import { signIn } from './support/sign-in.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { readPaymentFromChain } from './support/stranger.ts';

/* Answers that go out as events while they are made, through the whole app. */
const environment: Record<string, string> = {};
let upstream: ScriptedUpstream;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  environment['UPSTREAM_ORIGINS'] = upstream.url;
});
const app = useApp(environment);
afterAll(() => upstream.close());

let creator: Creator;
/** Lets the upstream go on. */
let gate: PromiseWithResolvers<void>;
/** Resolves when the upstream stands at the gate, and when whoever asked it has gone. */
let reached: PromiseWithResolvers<void>;
let left: PromiseWithResolvers<void>;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
});
beforeEach(() => {
  [gate, reached, left] = [Promise.withResolvers(), Promise.withResolvers(), Promise.withResolvers()];
});

const newTopic = () => `topic ${randomBytes(6).toString('hex')}`;
const newSlug = () => `s-${randomBytes(5).toString('hex')}`;
const events = { Accept: 'text/event-stream' };
const spentBy = async (address: string) => 10_000_000n - (await app.current.balanceOf(address));

/** On the scripted upstream. */
const publishOwn = (fields: Record<string, unknown> = {}, config: Record<string, unknown> = {}) => {
  const poem = toPoem(upstream.url);
  return creator.publish({ slug: newSlug(), ...poem, config: { ...poem.config, ...config }, ...fields });
};

/** Answers with these pieces, stands still where one is `gate`, and says whether it was left before its end. */
function scriptPieces(...pieces: readonly string[]): void {
  upstream.script(async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    response.once('close', () => !response.writableFinished && left.resolve());
    for (const piece of pieces) {
      if (piece === 'gate') {
        reached.resolve();
        await gate.promise;
      } else {
        response.write(piece);
      }
    }
    response.end();
  });
}

const ended = [delta('', 'stop'), usageChunk(), DONE];

async function untilState(payer: string, state: string): Promise<void> {
  const read = async () => {
    const asked = 'SELECT state FROM calls WHERE payer = $1 ORDER BY created_at DESC';
    const { rows } = await app.current.database.system.query<{ state: string }>(asked, [payer.toLowerCase()]);
    return rows[0]?.state;
  };
  await expect.poll(read, { timeout: 20_000 }).toBe(state);
}

describe('a prompt on a model', () => {
  test.each(['openrouter_instant', 'prompt_template'])('%s sells its text while it is written', async (kind) => {
    const config = { systemPrompt: 'Write about {topic}{/topic}.', maxTokens: 800 };
    const model = kind === 'openrouter_instant' ? { modelId: 'openai/gpt-4o-mini' } : { model: 'openai/gpt-4o-mini' };
    const draft = { slug: newSlug(), kind, settlementPoint: 'at_first_output', config: { ...config, ...model } };
    const { url, id } = await creator.publish(draft);
    const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
    const payment = await payFor(buyer, url);
    const read = await (await openEvents(url, { payment, topic })).rest();
    expect(read[0]).toMatchObject({ event: 'meta', data: { simulated: true, run: 1 } });
    expect(listNames(read).slice(-3)).toEqual(['usage', 'receipt', 'done']);
    expect(read.at(-3)?.data).toMatchObject({ output_tokens: expect.any(Number) });
    expect(read.at(-1)?.data).toEqual({ model: expect.stringContaining('gpt-4o-mini'), finishReason: 'stop' });
    expect(countRuns(app.current, topic)).toBe(1);
    expect(await spentBy(buyer.address)).toBe(10_000n);
    const whole = await send(url, { payment, body: { topic } });
    expect(whole.body).toMatchObject({ response: toText(read), finishReason: 'stop', simulated: true });
    const { body } = await creator.call('GET', `/api/usage?resourceId=${id}`);
    expect(body['items']).toMatchObject([
      { status: 'success', evidence: { outputTokens: expect.any(Number), worstCostUsd: expect.any(String) } },
    ]);
  });

  test('the text is out before the upstream has ended, and what the model thought is not', async () => {
    const { url } = await publishOwn();
    const buyer = await app.current.makeBuyer();
    scriptPieces(delta('<think>hm'), delta('m</think>\n\nOre'), 'gate', delta(' glitters.'), ...ended);
    const { until, rest } = await openEvents(url, { payment: await payFor(buyer, url), topic: newTopic() });
    expect(toText(await until('delta'))).toBe('Ore');
    gate.resolve();
    expect(toText(await rest())).toBe(' glitters.');
  });

  test('pictures come as events of their own, each a link to a real file that the receipt names', async () => {
    const { url } = await creator.publish({
      slug: newSlug(),
      settlementPoint: 'at_first_output',
      priceUsdc: '0.05',
      acceptsLoss: { maxLossUsdPerCall: '0.3' },
      config: { modelId: 'google/gemini-2.5-flash-image', systemPrompt: 'Paint {topic}{/topic}.', maxTokens: 4096 },
    });
    const payment = await payFor(await app.current.makeBuyer(), url);
    const read = await (await openEvents(url, { payment, topic: newTopic() })).rest();
    const [media, ...others] = read.filter(({ event }) => event === 'media');
    expect([others, listNames(read).slice(-3)]).toEqual([[], ['usage', 'receipt', 'done']]);
    const { id, sha256, sizeBytes, contentType } = media?.data ?? {};
    expect(read.at(-2)?.data).toMatchObject({ paidUsdc: '0.05', media: [{ id, sha256, sizeBytes, contentType }] });
    const file = await fetch(String(media?.data['url']));
    expect([file.status, file.headers.get('Content-Type')]).toEqual([200, 'image/png']);
    const bytes = Buffer.from(await file.arrayBuffer());
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
    expect(PNG.sync.read(bytes).width).toBe(media?.data['width']);
  });

  test('whether it may be sold so stands in its public view; not where the answer is judged whole', async () => {
    const { url, id } = await publishOwn();
    expect((await send(`${app.current.url}/api/resources/${id}`, { method: 'GET' })).body).toMatchObject({
      settlementPoint: 'at_first_output',
    });
    expect((await getChallenge(url)).accepts).toMatchObject([{ extra: { settlementPoint: 'at_first_output' } }]);
    for (const config of [{ sellsTruncated: false }, { outputSchema: { type: 'object', properties: {} } }]) {
      await expect(publishOwn({}, config)).rejects.toThrow('/settlementPoint');
    }
  });
});

describe('what the client accepts', () => {
  test.each([
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['application/json, text/event-stream', 'application/json'],
    ['text/event-stream;q=0.5, application/json', 'application/json'],
    ['text/event-stream', 'text/event-stream; charset=utf-8'],
    ['application/json;q=0.2, text/event-stream', 'text/event-stream; charset=utf-8'],
    ['text/event-stream;q=0', 'application/json'],
  ])('%s is answered with %s', async (accept, type) => {
    const { url } = await creator.publish({ slug: newSlug(), priceUsdc: '0' });
    const response = await fetch(`${url}?topic=rain`, { headers: accept === undefined ? {} : { Accept: accept } });
    expect(response.headers.get('Content-Type')).toBe(type);
    expect(response.headers.get('Vary')).toContain('Accept');
    await response.text();
  });
});

test('an answer that is sold whole comes as events after it is stored, and again from any place', async () => {
  const { url } = await creator.publish({ slug: newSlug() });
  const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
  const payment = await payFor(buyer, url);
  const read = await (await openEvents(url, { payment, topic })).rest();
  expect(listNames(read)).toEqual(['meta', 'delta', 'usage', 'receipt', 'done']);
  const again = await openEvents(url, { payment, topic, headers: { 'Last-Event-ID': '1-5' } });
  const rest = await again.rest();
  expect(listNames(rest)).toEqual(['delta', 'usage', 'receipt', 'done']);
  expect(toText(read).slice(5)).toBe(toText(rest));
  await untilState(buyer.address, 'delivered');
});

test('a free resource and a test of its owner go out while they are made, and end when their reader leaves', async () => {
  const { url, id } = await publishOwn({ priceUsdc: '0', settlementPoint: 'on_success' });
  scriptPieces(delta('Ore'), 'gate', delta(' glitters.'), ...ended);
  const free = await openEvents(url, { topic: newTopic() });
  expect(toText(await free.until('delta'))).toBe('Ore');
  gate.resolve();
  expect(listNames(await free.rest()).slice(-3)).toEqual(['usage', 'receipt', 'done']);

  gate = Promise.withResolvers();
  scriptPieces(delta('Ore'), 'gate', ...ended);
  const headers = { 'X-Owner-Test': 'true', Cookie: creator.cookie, Origin: app.current.url };
  const tested = await openEvents(url, { topic: newTopic(), headers });
  expect(await tested.until('delta')).toMatchObject([{ data: { test: true } }, { data: { text: 'Ore' } }]);
  tested.leave();
  await left.promise;
  await expect
    .poll(async () => (await creator.call('GET', `/api/usage?resourceId=${id}`)).body['items'])
    .toMatchObject([
      { status: 'failed', isTest: true, cause: expect.stringContaining('caller_left') },
      { isFree: true },
    ]);
});

test('the official fetch client pays and reads the stream as it comes', async () => {
  const { url } = await publishOwn();
  const buyer = await app.current.makeBuyer();
  scriptPieces(delta('Ore'), 'gate', delta(' glitters.'), ...ended);
  const paying = wrapFetchWithPayment(fetch, new x402Client().register('eip155:*', new ExactEvmScheme(buyer)));
  const { response, until, rest } = await openEvents(url, { topic: newTopic(), fetch: paying });
  expect(response.headers.get('PAYMENT-RESPONSE')).toMatch(/./);
  expect(toText(await until('delta'))).toBe('Ore');
  gate.resolve();
  expect(listNames(await rest()).at(-1)).toBe('done');
  expect(await spentBy(buyer.address)).toBe(10_000n);
});

describe('a stream that was left', () => {
  test('is taken up where the reader stands, while it runs and after it has ended', async () => {
    const { url } = await publishOwn();
    const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
    const payment = await payFor(buyer, url);
    scriptPieces(delta('Ore '), 'gate', delta('glitters.'), ...ended);
    const first = await openEvents(url, { payment, topic });
    const read = await first.until('delta');
    const token = first.response.headers.get('X-Farebox-Answer-Token') ?? '';
    first.leave();
    const headers = { 'Last-Event-ID': read.at(-1)?.id ?? '' };
    const second = openEvents(url, { payment, topic, headers });
    const fromStart = await openEvents(url, { payment, topic });
    expect(toText(await fromStart.until('delta'))).toBe('Ore ');
    gate.resolve();
    const rest = await (await second).rest();
    expect(toText(rest)).toBe('glitters.');
    expect(listNames(rest).slice(-3)).toEqual(['usage', 'receipt', 'done']);
    expect(toText(await fromStart.rest())).toBe('glitters.');
    await untilState(buyer.address, 'delivered');
    const kept = await (await openEvents(url, { payment, topic, headers })).rest();
    expect([toText(kept), kept.at(-1)]).toEqual([toText(rest), rest.at(-1)]);
    expect(upstream.seen).toHaveLength(1);
    expect(await spentBy(buyer.address)).toBe(10_000n);
    expect(token).not.toBe('');
  });

  test('is no stranger’s who rebuilds its payment from the chain, but of the wallet that paid', async () => {
    const { url } = await publishOwn();
    const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
    scriptPieces(delta('Ore '), 'gate', delta('glitters.'), ...ended);
    const first = await openEvents(url, { payment: await payFor(buyer, url), topic });
    const read = await first.until('delta');
    first.leave();
    const { v2: payment } = await readPaymentFromChain(app.current, buyer.address);
    const refused = await send(url, { payment, body: { topic }, headers: events });
    expect(refused).toMatchObject({ status: 403, body: { code: 'buyer_unproven', charged: true } });
    expect(JSON.stringify(refused.body)).not.toContain('Ore');
    const stranger = await signIn(refused, await app.current.makeBuyer());
    expect(
      await send(url, { payment, body: { topic }, headers: { ...events, 'SIGN-IN-WITH-X': stranger } }),
    ).toMatchObject({
      status: 403,
    });
    const headers = { 'SIGN-IN-WITH-X': await signIn(refused, buyer), 'Last-Event-ID': read.at(-1)?.id ?? '' };
    const again = await openEvents(url, { payment, topic, headers });
    gate.resolve();
    expect(toText(await again.rest())).toBe('glitters.');
  });

  test('before its first output costs nothing and is cancelled; the payment is good for another call', async () => {
    const { url, id } = await publishOwn();
    const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
    const payment = await payFor(buyer, url);
    scriptPieces('gate', delta('Ore'), ...ended);
    const controller = new AbortController();
    const request = { method: 'POST', body: JSON.stringify({ topic }), signal: controller.signal };
    const headers = { ...events, 'Content-Type': 'application/json', 'PAYMENT-SIGNATURE': payment };
    const asking = fetch(url, { ...request, headers }).catch(() => 'left');
    await reached.promise;
    controller.abort();
    expect(await asking).toBe('left');
    await left.promise;
    await untilState(buyer.address, 'failed');
    expect(await spentBy(buyer.address)).toBe(0n);
    const { body } = await creator.call('GET', `/api/usage?resourceId=${id}`);
    expect(body['items']).toMatchObject([{ status: 'failed', cause: expect.stringContaining('buyer_left') }]);
    scriptPieces(delta('Ore'), ...ended);
    expect(toText(await (await openEvents(url, { payment, topic })).rest())).toBe('Ore');
    expect(await spentBy(buyer.address)).toBe(10_000n);
  });
});
