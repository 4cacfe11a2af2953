import { randomBytes, randomUUID } from 'node:crypto';
import { createSIWxPayload, encodeSIWxHeader, type CompleteSIWxInfo } from '@x402/extensions/sign-in-with-x';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { Webhook } from 'standardwebhooks';
import type { PrivateKeyAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listKinds } from '../src/plugins.ts';
import { startCallbackReceiver } from './support/callback-receiver.ts';
import { payFor, send } from './support/paid-request.ts';
import { makeAccount } from './support/pay.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { startStreamSource, type StreamSource } from './support/stream-source.ts';
import { openToyStream } from './support/toy-stream.ts';

/* Calls that are answered with 202 and carried out behind it, through the whole app. */
const receiver = await startCallbackReceiver();
const app = useApp(
  { CALLBACK_ORIGINS: receiver.origin },
  { listKinds: (deps) => [...listKinds(deps), openToyStream()] },
);
let source: StreamSource;
let creator: Creator;

beforeAll(async () => {
  source = await startStreamSource();
  creator = await app.current.makeCreator('ada');
});
afterAll(() => Promise.all([source.close(), receiver.close()]));

type Fields = Record<string, unknown>;

const newTopic = () => `topic ${randomBytes(6).toString('hex')}`;
const publish = (draft: Fields = {}) =>
  creator.publish({
    slug: `r-${randomBytes(5).toString('hex')}`,
    kind: 'toy_stream',
    config: { source: source.url, form: 'json' },
    ...draft,
  });
const respondAsync = { Prefer: 'respond-async' };
const untilDone = { Prefer: 'wait=30' };
const earned = () => app.current.balanceOf(creator.payTo);
const spentBy = async ({ address }: { address: string }) => 10_000_000n - (await app.current.balanceOf(address));

interface Options {
  /** The chunk of the source before which the run stands still. */
  at?: number;
  headers?: Record<string, string>;
  chunks?: Parameters<StreamSource['script']>[1];
}

async function begin(url: string, { at, headers = respondAsync, chunks }: Options = {}) {
  const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
  if (chunks) {
    source.script(topic, chunks);
  }
  const held = at === undefined ? null : source.hold(topic, at);
  const payment = await payFor(buyer, url);
  const accepted = await send(url, { payment, body: { topic }, headers });
  expect(accepted).toMatchObject({ status: 202 });
  await held;
  const statusUrl = String(accepted.headers.get('Location'));
  const bearer = { Authorization: `Bearer ${String(accepted.body['statusToken'])}` };
  const again = (more: Record<string, string> = respondAsync) => send(url, { payment, body: { topic }, headers: more });
  return { accepted, topic, buyer, statusUrl, bearer, again };
}

const ask = (url: string, headers: Record<string, string>, method = 'GET') => send(url, { method, headers });

async function readEvents(url: string, headers: Record<string, string>) {
  const response = await fetch(url, { headers: { ...headers, Accept: 'text/event-stream' } });
  const events = (response.body as ReadableStream<Uint8Array>)
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  const next = async () => {
    const { value, done } = await events.read();
    return done ? null : { event: value.event, data: JSON.parse(value.data) as Fields };
  };
  return { response, next, leave: () => events.cancel() };
}

describe('a call that its buyer wants answered later', () => {
  test('is answered with 202, can be followed by its token, and its answer is the one that the call itself would give', async () => {
    const { url } = await publish();
    const before = await earned();
    const { accepted, topic, statusUrl, bearer, buyer } = await begin(url, { at: 1 });
    expect(Object.fromEntries(accepted.headers)).toMatchObject({
      'preference-applied': 'respond-async',
      'retry-after': '2',
      'cache-control': 'private, no-store',
      'access-control-expose-headers': expect.stringMatching(/Location, Preference-Applied/),
    });
    expect(accepted.body).toMatchObject({
      state: 'running',
      charged: null,
      receipt: null,
      problem: null,
      statusToken: expect.stringMatching(/^fbs_[\w-]{20,}$/),
      statusUrl,
      resource: url,
    });
    expect(Date.parse(String(accepted.body['expiresAt']))).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    expect(accepted.settlement).toBe(null);
    expect((await ask(statusUrl, bearer)).body).toMatchObject({ state: 'running', charged: null });
    expect(await ask(`${statusUrl}/result`, bearer)).toMatchObject({ status: 202, body: { state: 'running' } });
    expect(await earned()).toBe(before);
    source.release();
    const done = await ask(statusUrl, { ...bearer, ...untilDone });
    expect(done).toMatchObject({
      status: 200,
      body: {
        state: 'succeeded',
        charged: true,
        receipt: { paidUsdc: '0.01', resource: url },
        retryAfterSeconds: null,
      },
    });
    expect(done.body).not.toHaveProperty('statusToken');
    const result = await ask(`${statusUrl}/result`, bearer);
    expect(result).toMatchObject({
      status: 200,
      body: { response: 'one two three', simulated: true, receipt: { payer: buyer.address.toLowerCase() } },
      settlement: { success: true },
    });
    expect(result.body['receipt']).toEqual(done.body['receipt']);
    expect(await earned()).toBe(before + 10_000n);
    expect(source.countRuns(topic)).toBe(1);
  });

  test('tells its progress and its end by server-sent events', async () => {
    const { url } = await publish();
    const { statusUrl, bearer } = await begin(url, { at: 2 });
    const { response, next } = await readEvents(statusUrl, bearer);
    expect(response.headers.get('Content-Type')).toMatch(/^text\/event-stream/);
    expect(await next()).toMatchObject({ event: 'state', data: { state: 'running' } });
    expect(await next()).toMatchObject({ event: 'progress', data: { percent: expect.any(Number) } });
    source.release();
    const rest: Awaited<ReturnType<typeof next>>[] = [];
    for (let event = await next(); event !== null; event = await next()) {
      rest.push(event);
    }
    expect(rest.map((event) => event?.event)).toEqual(expect.arrayContaining(['state', 'receipt']));
    expect(rest.at(-1)).toMatchObject({ event: 'done', data: { state: 'succeeded', receipt: { paidUsdc: '0.01' } } });
  });

  test('is answered at once where the answer comes within the time that the buyer waits', async () => {
    const { url } = await publish();
    const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
    const headers = { Prefer: 'respond-async, wait=30' };
    const answered = await send(url, { payment: await payFor(buyer, url), body: { topic }, headers });
    expect(answered).toMatchObject({ status: 200, body: { response: 'one two three', receipt: { paidUsdc: '0.01' } } });
    expect(answered.headers.has('Preference-Applied')).toBe(false);
  });

  test('meets the same payment with how it stands, and in the end with its answer', async () => {
    const { url } = await publish();
    const { again, statusUrl, bearer, topic, buyer } = await begin(url, { at: 0 });
    const met = await again({});
    expect(met).toMatchObject({ status: 202, body: { state: 'running', statusUrl } });
    expect(met.body).not.toHaveProperty('statusToken');
    source.release();
    await ask(statusUrl, { ...bearer, ...untilDone });
    expect(await again()).toMatchObject({ status: 200, body: { response: 'one two three' } });
    expect(source.countRuns(topic)).toBe(1);
    expect(await spentBy(buyer)).toBe(10_000n);
  });

  test.each([
    ['at_first_output', 'parts'],
    ['on_success', 'bytes'],
  ])('paid %s and answered with %s has the same answer', async (settlementPoint, form) => {
    const { url } = await publish({ settlementPoint, config: { source: source.url, form } });
    const { statusUrl, bearer } = await begin(url);
    expect((await ask(statusUrl, { ...bearer, ...untilDone })).body).toMatchObject({ state: 'succeeded' });
    const result = await fetch(`${statusUrl}/result`, { headers: bearer });
    expect(result.headers.get('PAYMENT-RESPONSE')).not.toBe(null);
    expect(await result.text()).toMatch(/one two three/);
  });

  test('runs from the files and the query that it came with, by the version that was named', async () => {
    const { url } = await publish();
    const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
    const pinned = `${url}@1`;
    const payment = await payFor(buyer, pinned);
    const accepted = await send(`${pinned}?topic=${encodeURIComponent(topic)}`, {
      method: 'GET',
      payment,
      headers: respondAsync,
    });
    const bearer = { Authorization: `Bearer ${String(accepted.body['statusToken'])}` };
    const done = await ask(String(accepted.body['statusUrl']), { ...bearer, ...untilDone });
    expect(done.body).toMatchObject({
      state: 'succeeded',
      resource: pinned,
      receipt: { resource: pinned, version: 1 },
    });
  });

  test('fails without a charge, which its state says with the receipt, and the payment may be used again', async () => {
    const { url } = await publish();
    const { statusUrl, bearer, buyer, again } = await begin(url, { chunks: [{ fail: true }] });
    const status = await ask(statusUrl, { ...bearer, ...untilDone });
    expect(status.body).toMatchObject({
      state: 'failed',
      charged: false,
      problem: { code: 'upstream_failed', detail: expect.stringMatching(/Nothing was charged/) },
      receipt: { charged: false, paidUsdc: '0', transaction: null },
    });
    const result = await ask(`${statusUrl}/result`, bearer);
    expect(result).toMatchObject({
      status: 502,
      body: { code: 'upstream_failed', charged: false, receipt: { paidUsdc: '0' } },
    });
    expect(await spentBy(buyer)).toBe(0n);
    expect(await again()).toMatchObject({ status: 202 });
  });

  test('is refused at once for what refuses every call, and nothing is left of it', async () => {
    const { url } = await publish();
    const buyer = await app.current.makeBuyer();
    const payment = await payFor(buyer, url);
    const refused = await send(url, { payment, body: { subject: 'x' }, headers: respondAsync });
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_input', charged: false } });
    expect(await send(url, { body: { topic: 'x' }, headers: respondAsync })).toMatchObject({ status: 402 });
  });
});

describe('a version that runs long', () => {
  const long = { runsLong: true, timeoutSeconds: 3_600, settlementPoint: 'upfront' };

  test('is paid first, says so in its 402 and views, and every call is answered with 202 and its receipt', async () => {
    const { url, id } = await publish(long);
    const view = (await send(`${app.current.url}/api/resources/${id}`, { method: 'GET' })).body;
    expect(view).toMatchObject({ runsLong: true, timeoutSeconds: 3_600, settlementPoint: 'upfront' });
    const { accepted, statusUrl, bearer } = await begin(url, { at: 1, headers: {} });
    expect(accepted.settlement).toMatchObject({ success: true });
    expect(accepted.body).toMatchObject({ state: 'running', charged: true, receipt: { paidUsdc: '0.01' } });
    expect(accepted.headers.has('Preference-Applied')).toBe(false);
    source.release();
    expect((await ask(statusUrl, { ...bearer, ...untilDone })).body).toMatchObject({ state: 'succeeded' });
    expect(await ask(`${statusUrl}/result`, bearer)).toMatchObject({
      status: 200,
      body: { response: 'one two three' },
    });
  });

  test('is owed where its run fails, and run again without a charge', async () => {
    const { url } = await publish(long);
    const { statusUrl, bearer, topic, buyer } = await begin(url, { at: 0, chunks: [{ text: '' }, { fail: true }] });
    source.script(topic, [{ text: 'after all' }]);
    source.release();
    const done = await ask(statusUrl, { ...bearer, ...untilDone });
    expect(done.body).toMatchObject({ state: 'succeeded', charged: true });
    expect(source.countRuns(topic)).toBe(2);
    expect(await spentBy(buyer)).toBe(10_000n);
  });

  test.each<[string, Fields, string]>([
    ['more than ten minutes without it', { timeoutSeconds: 601, settlementPoint: 'upfront' }, '/timeoutSeconds'],
    ['more than ten minutes on trust', { ...long, settlementPoint: 'on_success' }, '/settlementPoint'],
    ['no price', { runsLong: true, priceUsdc: '0', network: null, payTo: null }, '/runsLong'],
  ])('is not published with %s', async (_, fields, path) => {
    const draft = { kind: 'toy_stream', config: { source: source.url }, network: 'eip155:84532', payTo: creator.payTo };
    const made = await creator.call('POST', '/api/resources', {
      slug: `r-${randomBytes(5).toString('hex')}`,
      name: 'Long',
      category: 'ai',
      priceUsdc: '0.01',
      ...draft,
      ...fields,
    });
    expect(made.body['problems']).toEqual(expect.arrayContaining([expect.objectContaining({ path })]));
  });
});

describe('cancelling', () => {
  test.each([
    ['DELETE', ''],
    ['POST', '/cancel'],
  ])('before the money moves (%s) stops the run and charges nothing', async (method, part) => {
    const { url, id } = await publish();
    const { statusUrl, bearer, topic, buyer } = await begin(url, { at: 1 });
    const left = source.untilLeft(topic);
    const cancelled = await ask(`${statusUrl}${part}`, bearer, method);
    expect(cancelled).toMatchObject({
      status: 200,
      body: {
        state: 'cancelled',
        charged: false,
        problem: { code: 'gone' },
        receipt: { paidUsdc: '0', charged: false },
      },
    });
    await left;
    source.release();
    expect(await ask(`${statusUrl}/result`, bearer)).toMatchObject({ status: 410, body: { charged: false } });
    expect(await ask(statusUrl, bearer, 'DELETE')).toMatchObject({ status: 200, body: { state: 'cancelled' } });
    const { body } = await creator.call('GET', `/api/usage?resourceId=${id}`);
    expect(body['items']).toMatchObject([{ status: 'failed', problem: 'cancelled' }]);
    expect(await spentBy(buyer)).toBe(0n);
  });

  test('what is paid is refused: the run goes on and the answer stays the buyer’s', async () => {
    const { url } = await publish({ settlementPoint: 'upfront' });
    const { statusUrl, bearer } = await begin(url, { at: 1 });
    expect(await ask(statusUrl, bearer, 'DELETE')).toMatchObject({
      status: 409,
      body: { code: 'conflict', charged: true },
    });
    source.release();
    expect((await ask(statusUrl, { ...bearer, ...untilDone })).body).toMatchObject({ state: 'succeeded' });
    expect(await ask(statusUrl, bearer, 'DELETE')).toMatchObject({ status: 409 });
  });

  test('at any moment leaves a call cancelled and uncharged, or paid and answered', async () => {
    const { url } = await publish();
    const begun = await Promise.all(Array.from({ length: 12 }, () => begin(url)));
    const asked = await Promise.all(begun.map(({ statusUrl, bearer }) => ask(statusUrl, bearer, 'DELETE')));
    for (const [index, { statusUrl, bearer, buyer }] of begun.entries()) {
      const { body } = await ask(statusUrl, { ...bearer, ...untilDone });
      const isCancelled = asked[index]?.status === 200;
      expect(body).toMatchObject(
        isCancelled ? { state: 'cancelled', charged: false } : { state: 'succeeded', charged: true },
      );
      expect(await spentBy(buyer)).toBe(isCancelled ? 0n : 10_000n);
      const result = await ask(`${statusUrl}/result`, bearer);
      expect(result.status).toBe(isCancelled ? 410 : 200);
    }
  });
});

describe('whoever has not shown to be the buyer', () => {
  test('learns nothing, not even whether there is such a call', async () => {
    const { url } = await publish();
    const [mine, other] = [await begin(url), await begin(url)];
    const unknown = `${app.current.url}/api/calls/${randomUUID()}`;
    const apiKey = await creator.call('POST', '/api/keys', { name: 'k', scopes: ['resources:write'] });
    const shown: Record<string, string>[] = [
      {},
      other.bearer,
      { Authorization: `Bearer ${String(apiKey.body['key'] ?? 'fbx_x')}` },
      { Cookie: creator.cookie },
      { 'X-Farebox-Answer-Token': String(other.accepted.headers.get('X-Farebox-Answer-Token')) },
    ];
    for (const [method, part] of [
      ['GET', ''],
      ['GET', '/result'],
      ['DELETE', ''],
      ['POST', '/cancel'],
    ] as const) {
      for (const headers of shown) {
        const [there, nowhere] = [
          await ask(`${mine.statusUrl}${part}`, headers, method),
          await ask(`${unknown}${part}`, headers, method),
        ];
        expect(there.status).toBe(401);
        const bare = ({ status, body: { requestId: _, extensions: __, ...body } }: typeof there) => ({ status, body });
        expect(bare(there)).toEqual(bare(nowhere));
        expect(Object.keys(there.body)).toEqual(Object.keys(nowhere.body));
      }
    }
  });

  test('is the buyer by the answer token, or by a signature of the wallet that paid', async () => {
    const { url } = await publish();
    const { accepted, statusUrl, buyer } = await begin(url);
    const token = { 'X-Farebox-Answer-Token': String(accepted.headers.get('X-Farebox-Answer-Token')) };
    expect((await ask(statusUrl, { ...token, ...untilDone })).body).toMatchObject({ state: 'succeeded' });
    const { body } = await ask(statusUrl, {});
    const signedBy = async (account: PrivateKeyAccount) => {
      const { info, supportedChains } = (body['extensions'] as Record<string, unknown>)['sign-in-with-x'] as {
        info: CompleteSIWxInfo;
        supportedChains: CompleteSIWxInfo[];
      };
      const payload = await createSIWxPayload(
        { ...info, ...supportedChains[0] } as CompleteSIWxInfo,
        account,
        statusUrl,
      );
      return { 'SIGN-IN-WITH-X': encodeSIWxHeader(payload) };
    };
    expect(await ask(`${statusUrl}/result`, await signedBy(buyer))).toMatchObject({ status: 200 });
    expect(await ask(statusUrl, await signedBy(makeAccount()))).toMatchObject({ status: 401 });
  });

  test('finds no token in the database or the log: only a digest is stored', async () => {
    const { url } = await publish();
    const { accepted } = await begin(url, { headers: { ...respondAsync, 'X-Farebox-Callback': receiver.origin } });
    const secrets = [accepted.body['statusToken'], accepted.body['callbackSecret']].map(String);
    const { rows } = await app.current.database.system.query<{ text: string }>(
      `SELECT coalesce(string_agg(t::text, ' '), '') || (SELECT string_agg(c::text, ' ') FROM calls c) AS text FROM long_calls t`,
    );
    const kept = `${rows[0]?.text} ${app.current.logged.join(' ')}`;
    expect(
      secrets.filter((secret) => secret.length < 20 || kept.includes(secret.replace(/^(fbs|whsec)_/, ''))),
    ).toEqual([]);
  });
});

describe('a callback', () => {
  const wanted = () => ({
    ...respondAsync,
    'X-Farebox-Callback': `${receiver.origin}/${randomBytes(6).toString('hex')}`,
  });
  const arrived = async (headers: { 'X-Farebox-Callback': string }, count = 1) => {
    const path = new URL(headers['X-Farebox-Callback']).pathname;
    const here = () => receiver.received.filter((one) => one.path === path);
    await expect.poll(() => here().length, { timeout: 30_000 }).toBe(count);
    return here();
  };

  test('tells the end with the receipt, signed as Standard Webhooks says, and never the answer', async () => {
    const { url } = await publish();
    const headers = wanted();
    const { accepted, statusUrl } = await begin(url, { headers });
    const [sent] = await arrived(headers);
    const webhook = new Webhook(String(accepted.body['callbackSecret']));
    const told = webhook.verify(sent?.body ?? '', sent?.headers ?? {});
    expect(told).toMatchObject({
      type: 'call.succeeded',
      data: { state: 'succeeded', statusUrl, charged: true, receipt: { paidUsdc: '0.01' } },
    });
    expect(sent?.body).not.toMatch(/one two three|fbs_|whsec_/);
    expect(() => webhook.verify(`${sent?.body} `, sent?.headers ?? {})).toThrow(/signature/i);
  });

  test('comes again until it is taken, as the same message, and tells a failure too', async () => {
    const { url } = await publish();
    const headers = wanted();
    receiver.answers.push(500);
    await begin(url, { headers, chunks: [{ fail: true }] });
    const [first] = await arrived(headers);
    await app.current.database.system.query(
      'UPDATE long_calls SET callback_due_at = now() WHERE callback_due_at IS NOT NULL',
    );
    const [, second] = await arrived(headers, 2);
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    expect(JSON.parse(second?.body ?? '')).toMatchObject({ type: 'call.failed', data: { charged: false } });
    const { rows } = await app.current.database.system.query(
      'SELECT 1 FROM long_calls WHERE callback_due_at IS NOT NULL',
    );
    expect(rows).toEqual([]);
  });

  test.each([
    [
      'an address of a private network',
      { ...respondAsync, 'X-Farebox-Callback': 'https://10.0.0.1/x' },
      /public internet/,
    ],
    ['plain http', { ...respondAsync, 'X-Farebox-Callback': 'http://example.com/x' }, /https/],
    ['a call that is answered at once', { 'X-Farebox-Callback': 'https://example.com/x' }, /answered later/],
  ])('to %s is refused before any payment', async (_, headers, says) => {
    const { url } = await publish();
    const buyer = await app.current.makeBuyer();
    const refused = await send(url, { payment: await payFor(buyer, url), body: { topic: newTopic() }, headers });
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_input', charged: false } });
    expect(refused.body['detail']).toMatch(says);
  });
});
