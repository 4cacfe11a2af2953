import { randomUUID } from 'node:crypto';
import { decodePaymentRequiredHeader } from '@x402/core/http';
import OpenAI from 'openai';
import type { PrivateKeyAccount } from 'viem/accounts';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { caught, payingFetch } from './support/openai-client.ts';
import { countRuns, send, signFor } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

/** What the unmodified client does by itself when something fails: it may ask again, and never pays twice. */

const app = useApp();
let creator: Creator;
/** Each with a model of its own: what one owes is made in the background, and must not meet the faults of another. */
const streamed = { live: 'openai/gpt-4.1-mini', broken: 'openai/gpt-4.1' };
const plain = { systemPrompt: 'Write about {topic}{/topic}.', maxTokens: 120 };

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
  await creator.publish({ slug: 'essay' });
  for (const [slug, modelId] of Object.entries(streamed)) {
    await creator.publish({ slug, settlementPoint: 'at_first_output', config: { ...plain, modelId } });
  }
});
beforeEach(async () => {
  control()?.clearFaults();
  const apiKey = app.current.sandbox?.openRouter?.keys.healthy;
  await creator.call('PUT', '/api/user/integrations/openrouter', { apiKey });
});

const control = () => app.current.sandbox?.openRouter?.control;
const spentBy = async (buyer: PrivateKeyAccount) => 10_000_000n - (await app.current.balanceOf(buyer.address));
const ask = (content: string, model = 'ada/essay') => ({ model, messages: [{ role: 'user' as const, content }] });

interface Watched {
  client: OpenAI;
  /** Status and Retry-After of each answer to a payment, or to any request of somebody who does not pay. */
  seen: { status: number; retryAfter: string | null; payment: string | null }[];
}

/** The client as it comes, retries included; it waits a millisecond where the server says how long. */
function openWatched(buyer: PrivateKeyAccount | null, maxRetries = 3): Watched {
  const seen: Watched['seen'] = [];
  const noting: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const payment = request.headers.get('PAYMENT-SIGNATURE');
    const response = await fetch(request);
    if (payment !== null || buyer === null) {
      seen.push({ status: response.status, retryAfter: response.headers.get('Retry-After'), payment });
    }
    const headers = new Headers(response.headers);
    headers.set('Retry-After-Ms', '1');
    return new Response(response.body, { status: response.status, headers });
  };
  const sending = buyer === null ? noting : payingFetch(buyer, noting);
  return {
    client: new OpenAI({ baseURL: `${app.current.url}/v1`, apiKey: 'unused', maxRetries, fetch: sending }),
    seen,
  };
}

test.each([
  ['429_free_minute', 503],
  ['503', 503],
  ['500', 502],
  ['504', 504],
  ['socket_reset', 502],
])(
  'an upstream that fails with %s and then works: the client asks again, and one payment is taken',
  async (fault, status) => {
    const buyer = await app.current.makeBuyer();
    const { client, seen } = openWatched(buyer);
    // As often as one call tries it: the first call fails, the next finds it well again.
    control()?.fail(fault, { times: fault === '429_free_minute' ? 3 : 2, model: 'openai/gpt-4o-mini' });
    const answer = await client.chat.completions.create(ask(`after ${fault}`));
    expect(answer.choices[0]?.message.content).toContain('[simulated]');
    expect(seen.at(0)).toMatchObject({ status });
    expect(seen.at(-1)).toMatchObject({ status: 200 });
    expect(seen.filter((one) => one.status !== 200 && !Number(one.retryAfter))).toEqual([]);
    expect(await spentBy(buyer)).toBe(10_000n);
  },
);

test('a stream that fails before its first output is a status, which the client repeats; one payment is taken', async () => {
  const buyer = await app.current.makeBuyer();
  const { client, seen } = openWatched(buyer);
  control()?.fail('stream_error_typed', { times: 2, after: 0, model: streamed.live });
  const stream = client.chat.completions.stream(ask('streams', 'ada/live'));
  expect(await stream.finalContent()).toContain('[simulated]');
  expect(seen.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
  expect(await spentBy(buyer)).toBe(10_000n);
});

test('a stream that breaks after its first output was paid for: the client throws and asks nothing again', async () => {
  const buyer = await app.current.makeBuyer();
  const { client, seen } = openWatched(buyer);
  control()?.fail('stream_error_typed', { times: 9, after: 3, model: streamed.broken });
  const error = await caught(client.chat.completions.stream(ask('breaks', 'ada/broken')).finalContent());
  expect(error).toMatchObject({ error: { charged: true } });
  expect(seen.map(({ status }) => status)).toEqual([200]);
  expect(await spentBy(buyer)).toBe(10_000n);
});

test('an answer that is lost on its way: the same payment, sent by the client again, brings it without a second charge', async () => {
  const buyer = await app.current.makeBuyer();
  const body = ask('lost on its way');
  const { headers } = await send(`${app.current.url}/v1/chat/completions`, { body });
  const payment = await signFor(buyer, decodePaymentRequiredHeader(headers.get('PAYMENT-REQUIRED') ?? ''));
  let requests = 0;
  const losing: typeof fetch = async (input, init) => {
    requests += 1;
    const response = await fetch(input, init);
    await response.clone().text();
    if (requests === 1) {
      throw new TypeError('fetch failed');
    }
    return response;
  };
  const defaultHeaders = { 'PAYMENT-SIGNATURE': payment, 'Idempotency-Key': randomUUID() };
  const baseURL = `${app.current.url}/v1`;
  const client = new OpenAI({ baseURL, apiKey: 'unused', maxRetries: 2, fetch: losing, defaultHeaders });
  const answer = await client.chat.completions.create(body);
  expect(answer).toMatchObject({ farebox: { receipt: { paidUsdc: '0.01' } } });
  expect([requests, countRuns(app.current, 'lost on its way')]).toEqual([2, 1]);
  expect(await spentBy(buyer)).toBe(10_000n);
});

test.each<[string, { model: string; error: new (...args: never[]) => Error; status: number }]>([
  ['a resource that is not there', { model: 'ada/nowhere', error: OpenAI.NotFoundError, status: 404 }],
  ['a call without a payment', { model: 'ada/essay', error: OpenAI.APIError, status: 402 }],
])('%s is refused once, by both doors', async (_what, { model, error, status }) => {
  const { client, seen } = openWatched(null);
  const refused = [
    await caught(client.chat.completions.create(ask('x', model))),
    await caught(client.chat.completions.create({ ...ask('x', model), stream: true })),
    await caught(client.responses.create({ model, input: 'x' })),
    await caught(client.responses.create({ model, input: 'x', stream: true })),
  ];
  expect(refused.filter((thrown) => thrown instanceof error && thrown.status === status)).toHaveLength(4);
  expect(seen).toHaveLength(4);
});

test('what cannot be mapped is refused once', async () => {
  const { client, seen } = openWatched(null);
  const error = await caught(client.chat.completions.create({ ...ask('x'), n: 2 }));
  expect(error).toBeInstanceOf(OpenAI.BadRequestError);
  expect(seen).toHaveLength(1);
});

test('a refused payment is asked for no second time, and nothing is taken', async () => {
  const buyer = await app.current.makeBuyer();
  const body = ask('refused');
  const { headers } = await send(`${app.current.url}/v1/chat/completions`, { body });
  const required = decodePaymentRequiredHeader(headers.get('PAYMENT-REQUIRED') ?? '');
  const payment = await signFor(buyer, required, { validBefore: '1' });
  let requests = 0;
  const counting: typeof fetch = (input, init) => {
    requests += 1;
    return fetch(input, init);
  };
  const defaultHeaders = { 'PAYMENT-SIGNATURE': payment };
  const baseURL = `${app.current.url}/v1`;
  const client = new OpenAI({ baseURL, apiKey: 'unused', maxRetries: 2, fetch: counting, defaultHeaders });
  expect((await caught(client.chat.completions.create(body))).status).toBe(402);
  expect(requests).toBe(1);
  expect(await spentBy(buyer)).toBe(0n);
});

test('too many free calls are the client’s rate limit error, with when to come again', async () => {
  await creator.publish({ slug: 'gratis', priceUsdc: '0' });
  const { client, seen } = openWatched(null, 0);
  let error: unknown = null;
  for (let count = 0; error === null && count < 100; count += 1) {
    error = await client.chat.completions.create(ask('free', 'ada/gratis')).then(
      () => null,
      (thrown: unknown) => thrown,
    );
  }
  expect(error).toBeInstanceOf(OpenAI.RateLimitError);
  expect(error).toMatchObject({ status: 429, code: 'rate_limited' });
  expect(Number(seen.at(-1)?.retryAfter)).toBeGreaterThan(0);
});
