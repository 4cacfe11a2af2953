import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listKinds } from '../src/plugins.ts';
import { payFor, send, type Answered } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { startStreamSource, type StreamSource } from './support/stream-source.ts';
import { openToyStream } from './support/toy-stream.ts';

/* Calls that are answered with 202 and carried out behind it, through the whole app. */
const app = useApp({}, { listKinds: (deps) => [...listKinds(deps), openToyStream()] });
let source: StreamSource;
let creator: Creator;

beforeAll(async () => {
  source = await startStreamSource();
  creator = await app.current.makeCreator('ada');
});
afterAll(() => source.close());

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
const earned = () => app.current.balanceOf(creator.payTo);

interface Long {
  accepted: Answered;
  topic: string;
  payment: string;
  buyer: { address: string };
  statusUrl: string;
  bearer: Record<string, string>;
}

/** A call that stands still before chunk `at` of its source, or that nothing holds up. */
async function begin(
  url: string,
  { at, headers = respondAsync }: { at?: number; headers?: Record<string, string> } = {},
) {
  const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
  const held = at === undefined ? null : source.hold(topic, at);
  const payment = await payFor(buyer, url);
  const accepted = await send(url, { payment, body: { topic }, headers });
  expect(accepted.status).toBe(202);
  await held;
  const bearer = { Authorization: `Bearer ${String(accepted.body['statusToken'])}` };
  return {
    accepted,
    topic,
    payment,
    buyer,
    statusUrl: String(accepted.headers.get('Location')),
    bearer,
  } satisfies Long;
}

const ask = (url: string, headers: Record<string, string>, method = 'GET') => send(url, { method, headers });

describe('a call that its buyer wants answered later', () => {
  test('is answered with 202, can be followed by its token, and its answer is the one that the call itself would give', async () => {
    const { url } = await publish();
    const before = await earned();
    const { accepted, topic, statusUrl, bearer, buyer } = await begin(url, { at: 1 });
    expect(Object.fromEntries(accepted.headers)).toMatchObject({
      'preference-applied': 'respond-async',
      'retry-after': '2',
      'cache-control': 'private, no-store',
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
    const done = await ask(statusUrl, { ...bearer, Prefer: 'wait=30' });
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
});
