import { decodePaymentRequiredHeader } from '@x402/core/http';
import { expect, test } from 'vitest';
import { ask, newTopic, untilDone, useLongWorld, type Fields } from './support/long-world.ts';
import { send, signFor } from './support/paid-request.ts';

/* Many inputs in one call, through the whole app: one payment of their sum, one long run, one result for each. */
const world = useLongWorld();

type Topics = readonly string[];
const toBody = (topics: Topics) => ({ inputs: topics.map((topic) => ({ topic })) });
const newTopics = (count: number): string[] => Array.from({ length: count }, () => newTopic());

async function publish(draft: Fields = {}): Promise<string> {
  const { url } = await world.current.publish({ batch: { maxInputs: 50 }, ...draft });
  return `${url}/batch`;
}

async function askPrice(url: string, body: unknown) {
  const { status, headers } = await send(url, { body });
  expect(status).toBe(402);
  return decodePaymentRequiredHeader(headers.get('PAYMENT-REQUIRED') ?? '');
}

/** One paid batch, as far as its 202. */
async function begin(url: string, body: Fields, headers: Record<string, string> = {}) {
  const buyer = await world.current.app.makeBuyer();
  const payment = await signFor(buyer, await askPrice(url, body));
  const accepted = await send(url, { payment, body, headers });
  expect(accepted).toMatchObject({ status: 202, body: { resource: url } });
  const statusUrl = String(accepted.headers.get('Location'));
  const bearer = { Authorization: `Bearer ${String(accepted.body['statusToken'])}` };
  return {
    accepted,
    buyer,
    payment,
    statusUrl,
    bearer,
    callId: String(accepted.body['callId']),
    again: () => send(url, { payment, body }),
    done: async () => (await ask(statusUrl, { ...bearer, ...untilDone })).body,
    result: async () => (await ask(`${statusUrl}/result`, bearer)).body,
  };
}

const query = async (text: string, values: unknown[]) =>
  (await world.current.app.database.system.query<Record<string, unknown>>(text, values)).rows;
const letTimePass = (callId: string) =>
  query(`UPDATE calls SET updated_at = updated_at - interval '1 hour' WHERE id = $1`, [callId]);
const logged = async (callId: string) =>
  (
    await query(
      `SELECT status, problem, amount_atomic::text AS amount, trim_scale(cost_usd)::text AS cost, attempts, evidence
       FROM x402_prompt_template_usage_logs WHERE call_id = $1`,
      [callId],
    )
  )[0];

const ok = (index: number) => ({ index, ok: true, output: { response: 'one two three' } });

test('is paid with the sum of what its inputs cost, run behind a 202 and answered input by input', async () => {
  const url = await publish();
  const topics = newTopics(12);
  const before = await world.current.earned();
  const required = await askPrice(url, toBody(topics));
  expect(required).toMatchObject({
    resource: { url },
    accepts: [{ amount: '120000', extra: { paymentFlow: 'upfront', runsLong: true } }],
  });
  const { buyer, done, result, callId } = await begin(url, toBody(topics));
  expect(await done()).toMatchObject({
    state: 'succeeded',
    charged: true,
    progress: { percent: 100, note: '12 of 12' },
    receipt: { paidUsdc: '0.12', resource: url },
  });
  const answer = await result();
  expect(answer).toMatchObject({
    items: topics.map((_, index) => ok(index)),
    succeeded: 12,
    failed: 0,
    receipt: { paidUsdc: '0.12', payer: buyer.address.toLowerCase() },
  });
  expect(topics.map((topic) => world.current.source.countRuns(topic))).toEqual(topics.map(() => 1));
  expect(await world.current.earned()).toBe(before + 120_000n);
  expect(await logged(callId)).toMatchObject({
    status: 'success',
    amount: '120000',
    cost: '0.012',
    attempts: 12,
    evidence: { items: 12, succeeded: 12 },
  });
  expect(await query('SELECT 1 FROM batch_items WHERE call_id = $1', [callId])).toEqual([]);
});

test('names what fails in the end, keeps the rest, and runs the failed again for the same payment without a charge', async () => {
  const url = await publish();
  const topics = newTopics(4);
  const [good = '', once = '', broken = ''] = topics;
  world.current.source.script(broken, [{ fail: true }]);
  const { done, result, again, buyer, callId, statusUrl, bearer } = await begin(url, toBody(topics));
  expect(await done()).toMatchObject({ state: 'succeeded', charged: true, progress: { note: '4 of 4, 1 failed' } });
  const first = await result();
  expect(first).toMatchObject({
    items: [
      ok(0),
      ok(1),
      { index: 2, ok: false, problem: { code: 'upstream_failed', next: expect.stringMatching(/same payment/) } },
      ok(3),
    ],
    succeeded: 3,
    failed: 1,
    receipt: { paidUsdc: '0.04' },
  });
  expect(world.current.source.countRuns(broken)).toBe(3);
  expect(await logged(callId)).toMatchObject({ status: 'owed', amount: '40000', cost: '0.003', attempts: 6 });
  // Too soon after the last run, the same payment gives what there is.
  await ask(`${statusUrl}/result`, bearer);
  expect(await query('SELECT state FROM calls WHERE id = $1', [callId])).toEqual([{ state: 'owed' }]);
  expect(await again()).toMatchObject({ status: 200, body: { succeeded: 3, failed: 1 } });
  expect(world.current.source.countRuns(broken)).toBe(3);
  world.current.source.script(broken, [{ text: 'one two three' }]);
  await letTimePass(callId);
  expect(await again()).toMatchObject({ status: 202, body: { state: 'running', charged: true } });
  expect(await done()).toMatchObject({ state: 'succeeded' });
  expect(await result()).toMatchObject({ items: topics.map((_, index) => ok(index)), succeeded: 4, failed: 0 });
  expect([good, once, broken].map((topic) => world.current.source.countRuns(topic))).toEqual([1, 1, 4]);
  expect(await world.current.spentBy(buyer)).toBe(40_000n);
  expect(await logged(callId)).toMatchObject({ status: 'success', amount: '40000', cost: '0.004', attempts: 7 });
  expect(await again()).toMatchObject({ status: 200, body: { succeeded: 4 } });
});

test('is owed like any call where nothing of it succeeds, and run again by itself', async () => {
  const url = await publish();
  const topics = newTopics(2);
  topics.forEach((topic) => world.current.source.script(topic, [{ fail: true }]));
  const { done, result, callId, statusUrl, bearer } = await begin(url, toBody(topics));
  await expect
    .poll(() => query('SELECT state FROM calls WHERE id = $1', [callId]), { timeout: 20_000 })
    .toEqual([{ state: 'owed' }]);
  expect((await ask(statusUrl, bearer)).body).toMatchObject({ state: 'owed', charged: true });
  topics.forEach((topic) => world.current.source.script(topic, [{ text: 'one two three' }]));
  await letTimePass(callId);
  expect(await done()).toMatchObject({ state: 'succeeded' });
  expect(await result()).toMatchObject({ items: [ok(0), ok(1)], failed: 0 });
  expect(topics.map((topic) => world.current.source.countRuns(topic))).toEqual([4, 4]);
});

test('refuses a bad input by its place before anything is paid, and takes a payment for just these inputs', async () => {
  const url = await publish({ batch: { maxInputs: 3 } });
  const bad = { inputs: [{ topic: 'rain' }, { topic: 7 }] };
  expect(await send(url, { body: bad })).toMatchObject({
    status: 400,
    body: { code: 'invalid_input', errors: [{ path: '/inputs/1/topic' }] },
  });
  for (const body of [{}, { inputs: [] }, { inputs: {} }, toBody(newTopics(4)), { ...toBody(['a']), more: 1 }, []]) {
    expect(await send(url, { body })).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
  }
  const buyer = await world.current.app.makeBuyer();
  const cheap = await signFor(buyer, await askPrice(url, toBody(['a'])));
  expect(await send(url, { body: toBody(['a', 'b']), payment: cheap })).toMatchObject({ status: 402 });
  const payment = await signFor(buyer, await askPrice(url, toBody(['a', 'b'])));
  expect(await send(url, { body: bad, payment })).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
  expect(await send(url, { body: toBody(['a']), payment })).toMatchObject({ status: 402 });
  expect(await send(url, { body: toBody(['a', 'b']), payment })).toMatchObject({ status: 202 });
  expect(await send(url, { body: toBody(['a', 'c']), payment })).toMatchObject({
    status: 409,
    body: { code: 'payment_in_use' },
  });
});

test('what the model refuses is not run again, and a batch that some of it has come of is not lost as delivered', async () => {
  const url = await publish();
  const topics = newTopics(2);
  world.current.source.script(topics[1] ?? '', [{ fail: true }]);
  const { done, result, again, callId } = await begin(url, toBody(topics));
  await done();
  expect(await result()).toMatchObject({ succeeded: 1, failed: 1 });
  await query(`UPDATE calls SET reason = 'content_refused' WHERE id = $1`, [callId]);
  await letTimePass(callId);
  expect(await again()).toMatchObject({ status: 200, body: { succeeded: 1, failed: 1 } });
  expect(world.current.source.countRuns(topics[1] ?? '')).toBe(3);
  expect(await query('SELECT state FROM calls WHERE id = $1', [callId])).toEqual([{ state: 'owed' }]);
});

test('takes a thousand inputs for exactly their sum, answers each of them, and keeps of each no more than its share', async () => {
  const url = await publish({ batch: { maxInputs: 1_000 }, parameters: [{ name: 'topic', maxLength: 2_000 }] });
  const topics = newTopics(1_000).map((topic) => topic.padEnd(1_000, '.'));
  expect(await send(url, { body: toBody([...topics, 'more']) })).toMatchObject({ status: 400 });
  const shareBytes = Math.floor((32 * 1024 * 1024) / topics.length);
  const longest = shareBytes - JSON.stringify({ output: { response: '' } }).length;
  world.current.source.script(topics[500] ?? '', [{ text: 'x'.repeat(longest) }]);
  world.current.source.script(topics[999] ?? '', [{ text: 'x'.repeat(longest + 1) }]);
  const { done, result, buyer, callId } = await begin(url, toBody(topics));
  await expect.poll(async () => (await done())['state'], { timeout: 120_000 }).toBe('succeeded');
  const answer = await result();
  expect(answer).toMatchObject({ succeeded: 999, failed: 1, receipt: { paidUsdc: '10' } });
  const items = answer['items'] as { index: number; ok: boolean; output?: { response: string }; problem?: Fields }[];
  expect(items.map(({ index }) => index)).toEqual(topics.map((_, index) => index));
  const plain = items.filter(({ output }) => output?.response === 'one two three');
  expect([plain.length, items[500]?.output?.response.length]).toEqual([998, longest]);
  expect(items[999]).toMatchObject({ ok: false, problem: { code: 'unprocessable' } });
  expect(topics.filter((topic) => world.current.source.countRuns(topic) !== 1)).toEqual([]);
  expect(await world.current.spentBy(buyer)).toBe(10_000_000n);
  const evidence = { items: 1_000, succeeded: 999 };
  expect(await logged(callId)).toMatchObject({ amount: '10000000', cost: '1', attempts: 1_000, evidence });
}, 180_000);

const lines = {
  kind: 'openrouter_instant',
  priceUsdc: '0.03',
  priceFormula: { baseUsdc: '0.02', terms: [{ parameter: 'topic', per: 'character', usdc: '0.000101' }] },
  parameters: [{ name: 'topic', maxLength: 200 }],
  config: { modelId: 'openai/gpt-4o-mini', systemPrompt: 'Write a line about {topic}{/topic}.', maxTokens: 40 },
};

test('costs by formula what its inputs cost apart, which the quote tells before, and is held to the spend caps as a whole', async () => {
  const { creator, app } = world.current;
  const { id, url: one } = await creator.publish({ slug: 'lines', batch: { maxInputs: 20 }, ...lines });
  const url = `${one}/batch`;
  const body = toBody(['rain', 'a lighthouse', 'x'.repeat(150)]);
  const apart = await Promise.all(body.inputs.map((input) => askPrice(one, input)));
  const sum = apart.reduce((total, { accepts }) => total + Number(accepts[0]?.amount), 0);
  expect((await askPrice(url, body)).accepts[0]?.amount).toBe(String(sum));
  const quoteOf = async (asked: Fields) => (await creator.call('POST', `/api/resources/${id}/quote`, asked)).body;
  const quoted = await quoteOf(body);
  expect(quoted).toMatchObject({
    priceUsdc: (sum / 1_000_000).toFixed(6).replace(/0+$/, ''),
    isValid: true,
    isReady: true,
    problems: [],
    latencyMs: null,
  });
  const single = await Promise.all(body.inputs.map((input) => quoteOf({ input })));
  const worst = (quote: Fields) => Number((quote['cost'] as { worstUsd: string }).worstUsd);
  expect(worst(quoted)).toBeCloseTo(
    single.reduce((total, quote) => total + worst(quote), 0),
    15,
  );
  expect(await quoteOf({ inputs: [{ topic: 'a' }, {}] })).toMatchObject({
    isValid: false,
    problems: [{ path: '/inputs/1/topic' }],
    cost: null,
  });
  expect(await quoteOf({ ...body, input: body.inputs[0] })).toMatchObject({
    code: 'invalid_input',
    errors: [{ path: '/inputs' }],
  });
  const { body: shown } = await creator.call('GET', `/api/resources/${id}`);
  const { worstCostUsd } = (shown['cost'] as { published: { worstCostUsd: string } }).published;
  const { body: cap } = await creator.call('PUT', '/api/user/spend-caps', {
    scope: 'resource',
    subject: id,
    perDayUsd: (Number(worstCostUsd) * 2.5).toFixed(6),
  });
  const buyer = await app.makeBuyer();
  const payment = await signFor(buyer, await askPrice(url, body));
  expect(await send(url, { body, payment })).toMatchObject({ status: 503, body: { charged: false } });
  await creator.call('DELETE', `/api/user/spend-caps/${String(cap['id'])}`);
  await expect.poll(async () => (await send(url, { body })).status, { timeout: 10_000 }).toBe(402);
  const { done, result, callId } = await begin(url, body);
  expect(await done()).toMatchObject({ state: 'succeeded', receipt: { paidUsdc: quoted['priceUsdc'] } });
  expect(await result()).toMatchObject({
    items: body.inputs.map((_, index) => ({ index, ok: true, output: { response: expect.any(String) } })),
  });
  const log = await logged(callId);
  expect(log).toMatchObject({ status: 'success', amount: String(sum), attempts: 3 });
  expect(Number(log?.['cost'])).toBeGreaterThan(0);
});

test('is there only where the creator says so, with POST, for buyers; and views and documents tell it', async () => {
  const { creator, app } = world.current;
  const { url: single } = await world.current.publish();
  const body = toBody(['a']);
  expect(await send(`${single}/batch`, { body })).toMatchObject({ status: 404, body: { code: 'not_found' } });
  const { id, url: one } = await world.current.publish({ batch: { maxInputs: 9 } });
  const url = `${one}/batch`;
  expect(await send(url, { method: 'GET' })).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
  const headers = { 'X-Owner-Test': 'true' };
  expect(await send(url, { body, headers, cookie: creator.cookie })).toMatchObject({ status: 422 });
  expect((await askPrice(`${one}@1/batch`, body)).resource?.url).toBe(`${one}@1/batch`);
  expect((await askPrice(one, { topic: 'a' })).accepts[0]?.amount).toBe('10000');
  const view = (await (await fetch(`${app.url}/api/resources/${id}`)).json()) as Fields;
  expect(view).toMatchObject({ batch: { maxInputs: 9, url } });
  const document = (await (await fetch(`${app.url}/api/resources/${id}/openapi.json`)).json()) as { paths: Fields };
  expect(document.paths).toHaveProperty([new URL(url).pathname, 'post', 'requestBody']);
  expect(JSON.stringify(document.paths)).toContain('X-Owner-Test');
  expect(JSON.stringify(document.paths[new URL(url).pathname])).not.toContain('X-Owner-Test');
  const refused = await creator.call('POST', '/api/resources', {
    kind: 'toy_stream',
    slug: 'free-batch',
    priceUsdc: '0',
    batch: { maxInputs: 1_001 },
  });
  expect(refused).toMatchObject({ status: 400 });
});
