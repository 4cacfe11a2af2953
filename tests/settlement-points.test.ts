import { randomBytes } from 'node:crypto';
import { decodePaymentResponseHeader } from '@x402/core/http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listKinds } from '../src/plugins.ts';
import { listNames, openEvents, toText } from './support/open-events.ts';
import { countRuns, getChallenge, payFor, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { startStreamSource, type StreamSource } from './support/stream-source.ts';
import { openToyStream } from './support/toy-stream.ts';

/* When money moves: a toy kind that yields chunks, through the whole app, at each settlement point. */
const app = useApp({}, { listKinds: (deps) => [...listKinds(deps), openToyStream()] });
let source: StreamSource;
let creator: Creator;

beforeAll(async () => {
  source = await startStreamSource();
  creator = await app.current.makeCreator('ada');
});
afterAll(() => source.close());

type Config = Record<string, unknown>;

const newTopic = () => `topic ${randomBytes(6).toString('hex')}`;
const publish = (settlementPoint: string, config: Config = {}, more: Config = {}) =>
  creator.publish({
    slug: `r-${randomBytes(5).toString('hex')}`,
    kind: 'toy_stream',
    settlementPoint,
    config: { source: source.url, ...config },
    ...more,
  });
const earned = () => app.current.balanceOf(creator.payTo);
const spentBy = async (address: string) => 10_000_000n - (await app.current.balanceOf(address));

async function readCalls(payer: string) {
  const { rows } = await app.current.database.system.query<{ state: string; input: string | null; runs: number }>(
    'SELECT state, input, runs FROM calls WHERE payer = $1',
    [payer.toLowerCase()],
  );
  return rows;
}

async function untilState(payer: string, state: string): Promise<void> {
  await expect
    .poll(async () => (await readCalls(payer)).map((call) => call.state), { timeout: 20_000 })
    .toEqual([state]);
}

async function readUsage(resourceId: string) {
  const { body } = await creator.call('GET', `/api/usage?resourceId=${resourceId}`);
  return body['items'] as Record<string, unknown>[];
}

describe('at_first_output', () => {
  test('money moves when the first output is there, and the rest goes out while it comes', async () => {
    const { url, id } = await publish('at_first_output');
    const [buyer, topic, before] = [await app.current.makeBuyer(), newTopic(), await earned()];
    const payment = await payFor(buyer, url);
    const held = source.hold(topic, 1);
    const { response, until, rest } = await openEvents(url, { payment, topic });
    await held;
    expect(response.headers.get('Content-Type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('Cache-Control')).toBe('private, no-store');
    expect(decodePaymentResponseHeader(response.headers.get('PAYMENT-RESPONSE') ?? '')).toMatchObject({
      success: true,
    });
    expect(await until('delta')).toEqual([
      {
        id: '1-0',
        event: 'meta',
        data: { callId: expect.any(String), resource: url, version: 1, run: 1, simulated: true },
      },
      { id: '1-4', event: 'delta', data: { text: 'one ' } },
    ]);
    expect(await earned()).toBe(before + 10_000n);
    expect(await readCalls(buyer.address)).toMatchObject([{ state: 'fulfilling', input: JSON.stringify({ topic }) }]);
    source.release();
    const last = await rest();
    expect(toText(last)).toBe('two three');
    expect(last.slice(-3)).toEqual([
      { id: '1-14', event: 'usage', data: { chunks: 3 } },
      { id: '1-15', event: 'receipt', data: expect.objectContaining({ paidUsdc: '0.01' }) },
      { id: '1-16', event: 'done', data: {} },
    ]);
    await untilState(buyer.address, 'delivered');
    expect(await readCalls(buyer.address)).toMatchObject([{ input: null, runs: 1 }]);
    expect(await readUsage(id)).toMatchObject([
      { status: 'success', earnedUsdc: '0.01', costUsd: '0.001', evidence: { chunks: 3 } },
    ]);
  });

  test('the same payment gets the whole answer again, and nothing runs or is charged twice', async () => {
    const { url } = await publish('at_first_output');
    const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
    const payment = await payFor(buyer, url);
    await (await openEvents(url, { payment, topic })).rest();
    const again = await (await openEvents(url, { payment, topic })).rest();
    expect(listNames(again)).toEqual(['meta', 'delta', 'usage', 'receipt', 'done']);
    expect(toText(again)).toBe('one two three');
    expect(source.countRuns(topic)).toBe(1);
    expect(await spentBy(buyer.address)).toBe(10_000n);
  });

  test('whoever does not ask for events gets one JSON, also of what went out as events', async () => {
    const { url } = await publish('at_first_output');
    const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
    const payment = await payFor(buyer, url);
    const asked = { payment, body: { topic } };
    const answer = await send(url, asked);
    expect(answer).toMatchObject({
      status: 200,
      body: { response: 'one two three', usage: { chunks: 3 }, simulated: true, receipt: { paidUsdc: '0.01' } },
      settlement: { success: true },
    });
    expect(toText(await (await openEvents(url, { payment, topic })).rest())).toBe('one two three');
    expect((await send(url, asked)).body).toEqual(answer.body);
    expect(source.countRuns(topic)).toBe(1);
  });

  test('a failure before any output charges nothing, and the payment can be used again', async () => {
    const { url, id } = await publish('at_first_output');
    const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
    const payment = await payFor(buyer, url);
    source.script(topic, [{ fail: true }]);
    const failed = await send(url, { payment, body: { topic }, headers: { Accept: 'text/event-stream' } });
    expect(failed).toMatchObject({ status: 502, body: { code: 'upstream_failed', charged: false } });
    expect(await spentBy(buyer.address)).toBe(0n);
    expect(await readUsage(id)).toMatchObject([{ status: 'failed', cause: 'toy_failed: as told' }]);
    source.script(topic, [{ text: 'now' }]);
    expect(toText(await (await openEvents(url, { payment, topic })).rest())).toBe('now');
    expect(await spentBy(buyer.address)).toBe(10_000n);
  });

  test('an answer without output is no answer', async () => {
    const { url } = await publish('at_first_output');
    const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
    source.script(topic, [{ text: '' }, { text: ' \n' }]);
    const failed = await send(url, { payment: await payFor(buyer, url), body: { topic } });
    expect(failed).toMatchObject({ status: 502, body: { charged: false } });
    expect(await spentBy(buyer.address)).toBe(0n);
  });

  test.each([['fails', { fail: true }] as const, ['breaks', { break: true }] as const])(
    'an answer that %s after the first output is owed, and run again without a charge',
    async (_how, end) => {
      const { url, id } = await publish('at_first_output');
      const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
      const payment = await payFor(buyer, url);
      source.script(topic, [{ text: 'half' }, end]);
      const held = source.hold(topic, 1);
      const { until, rest } = await openEvents(url, { payment, topic });
      expect(toText(await until('delta'))).toBe('half');
      await held;
      source.release();
      expect(await rest()).toMatchObject([{ id: '1-4', event: 'error', data: { code: 'answer_owed', charged: true } }]);
      expect(await readUsage(id)).toMatchObject([{ status: 'owed', cause: expect.any(String), earnedUsdc: '0.01' }]);
      source.script(topic, [{ text: 'whole' }]);
      await untilState(buyer.address, 'settled');
      const again = await (await openEvents(url, { payment, topic, headers: { 'Last-Event-ID': '1-4' } })).rest();
      expect(again.map((event) => event.id)).toEqual(['2-0', '2-5', '2-6', '2-7', '2-8']);
      expect(toText(again)).toBe('whole');
      expect(await spentBy(buyer.address)).toBe(10_000n);
      expect(await readUsage(id)).toMatchObject([{ status: 'success', problem: null, earnedUsdc: '0.01' }]);
    },
  );

  test('a run again that ends without output leaves the call owed', async () => {
    const [{ url }, buyer, topic] = [await publish('at_first_output'), await app.current.makeBuyer(), newTopic()];
    source.script(topic, [{ text: 'half' }, { fail: true }]);
    await (await openEvents(url, { payment: await payFor(buyer, url), topic })).rest();
    source.script(topic, [{ text: '' }]);
    await expect.poll(() => source.countRuns(topic), { timeout: 20_000 }).toBe(2);
    await untilState(buyer.address, 'owed');
  });

  test('what is whole at once is answered at once', async () => {
    const { url } = await publish('at_first_output', { form: 'json' });
    const buyer = await app.current.makeBuyer();
    const answer = await send(url, { payment: await payFor(buyer, url), body: { topic: newTopic() } });
    expect(answer).toMatchObject({ status: 200, body: { response: 'one two three', receipt: { paidUsdc: '0.01' } } });
    await untilState(buyer.address, 'delivered');
  });
});

describe('upfront', () => {
  test('the offer says so, and money moves before anything runs', async () => {
    const { url, id } = await publish('upfront');
    const [buyer, topic, before] = [await app.current.makeBuyer(), newTopic(), await earned()];
    expect((await getChallenge(url)).accepts).toMatchObject([{ extra: { paymentFlow: 'upfront' } }]);
    const payment = await payFor(buyer, url);
    const held = source.hold(topic, 0);
    const answering = send(url, { payment, body: { topic } });
    await held;
    expect(await earned()).toBe(before + 10_000n);
    source.release();
    const answer = await answering;
    expect(answer).toMatchObject({
      status: 200,
      body: { response: 'one two three', usage: { chunks: 3 }, receipt: { paidUsdc: '0.01' } },
      settlement: { success: true },
    });
    expect(await readUsage(id)).toMatchObject([{ status: 'success', earnedUsdc: '0.01' }]);
    expect((await send(url, { payment, body: { topic } })).body).toEqual(answer.body);
  });

  test('a failure leaves the call owed: the buyer is told that it was charged, and the same payment runs it again', async () => {
    const { url } = await publish('upfront');
    const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
    const payment = await payFor(buyer, url);
    source.script(topic, [{ text: 'half' }, { fail: true }]);
    const owed = await send(url, { payment, body: { topic } });
    expect(owed).toMatchObject({
      status: 503,
      body: { code: 'answer_owed', charged: true },
      settlement: { success: true },
    });
    expect(Number(owed.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(await send(url, { payment, body: { topic } })).toMatchObject({ status: 503, body: { code: 'answer_owed' } });
    expect(source.countRuns(topic)).toBe(1);
    source.script(topic, [{ text: 'whole' }]);
    await expect
      .poll(async () => (await send(url, { payment, body: { topic } })).body, { timeout: 20_000, interval: 200 })
      .toMatchObject({ response: 'whole', receipt: { paidUsdc: '0.01' } });
    expect(await spentBy(buyer.address)).toBe(10_000n);
  });

  test('the same payment at once, many times: one charge and one run', async () => {
    const { url } = await publish('upfront');
    const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
    const payment = await payFor(buyer, url);
    const answers = await Promise.all(Array.from({ length: 12 }, () => send(url, { payment, body: { topic } })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(source.countRuns(topic)).toBe(1);
    expect(await spentBy(buyer.address)).toBe(10_000n);
  });

  test('a prompt on a model can be sold so too', async () => {
    const { url } = await creator.publish({ slug: 'prepaid', settlementPoint: 'upfront' });
    const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
    app.current.sandbox?.openRouter?.control.fail('ok_empty');
    const payment = await payFor(buyer, url);
    const owed = await send(url, { payment, body: { topic } });
    expect(owed).toMatchObject({ status: 503, body: { code: 'answer_owed', charged: true } });
    await untilState(buyer.address, 'settled');
    expect(await send(url, { payment, body: { topic } })).toMatchObject({ status: 200, body: { simulated: true } });
    expect(countRuns(app.current, topic)).toBe(2);
    expect(await spentBy(buyer.address)).toBe(10_000n);
  });
});

describe('on_success', () => {
  test('chunks are collected to one answer before money moves', async () => {
    const { url } = await publish('on_success');
    const [buyer, topic, before] = [await app.current.makeBuyer(), newTopic(), await earned()];
    const held = source.hold(topic, 2);
    const answering = payFor(buyer, url).then((payment) => send(url, { payment, body: { topic } }));
    await held;
    expect(await earned()).toBe(before);
    source.release();
    expect(await answering).toMatchObject({ status: 200, body: { response: 'one two three', usage: { chunks: 3 } } });
  });

  test('bytes go out as they are, with their receipt in a header', async () => {
    const { url } = await publish('on_success', { form: 'bytes' });
    const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
    const payment = await payFor(buyer, url);
    const request = {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'PAYMENT-SIGNATURE': payment },
      body: JSON.stringify({ topic }),
    };
    const [first, again] = [await fetch(url, request), await fetch(url, request)];
    for (const response of [first, again]) {
      expect(await response.text()).toBe('one two three');
      expect(response.headers.get('Content-Type')).toBe('text/plain; charset=utf-8');
      expect(response.headers.get('Content-Language')).toBe('en');
      expect(response.headers.get('Set-Cookie')).toBeNull();
      expect(response.headers.get('Content-Security-Policy')).toContain('sandbox');
      const receipt = Buffer.from(response.headers.get('X-Farebox-Receipt') ?? '', 'base64').toString();
      expect(JSON.parse(receipt)).toMatchObject({ paidUsdc: '0.01', payer: buyer.address.toLowerCase() });
    }
    expect(source.countRuns(topic)).toBe(1);
  });
});

test('a free resource and a test of its owner answer chunks as one JSON, without money', async () => {
  const { url } = await publish('on_success', {}, { priceUsdc: '0' });
  expect(await send(url, { body: { topic: newTopic() } })).toMatchObject({
    status: 200,
    body: { response: 'one two three', receipt: { paidUsdc: '0' } },
  });
  const priced = await publish('at_first_output');
  const tested = await send(priced.url, {
    body: { topic: newTopic() },
    cookie: creator.cookie,
    headers: { 'X-Owner-Test': 'true', Origin: app.current.url },
  });
  expect(tested).toMatchObject({ status: 200, body: { response: 'one two three', test: true } });
});
