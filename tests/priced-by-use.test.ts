import { decodePaymentRequiredHeader } from '@x402/core/http';
import type { PaymentRequired } from '@x402/core/types';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { demoKeys } from '../sandbox/openrouter/demo-keys.ts';
import { countRuns, payFor, send, signFor, toOffer } from './support/paid-request.ts';
import { encodeHeader, signOffer, toEnvelope } from './support/pay.ts';
import { useApp, type Creator } from './support/start-app.ts';

/* Prices that follow from the input, through the whole app. */
const app = useApp({ OPENROUTER_API_KEY: demoKeys.freeTier, OPENROUTER_API_KEY_CREATORS: 'pat' });

let ruth: Creator;
beforeAll(async () => {
  ruth = await app.current.makeCreator('ruth');
  control().setCredits(demoKeys.freeTier, '50');
});
afterEach(() => control().clearFaults());

function control() {
  const { sandbox } = app.current;
  if (!sandbox?.openRouter) {
    throw new Error('These tests need the simulated OpenRouter.');
  }
  return sandbox.openRouter.control;
}

const priceFormula = {
  baseUsdc: '0.002',
  terms: [
    { parameter: 'topic', per: 'character', usdc: '0.0000105' },
    { parameter: 'lines', per: 'value', usdc: '0.001' },
    { parameter: 'style', usdcByOption: { plain: '0', ornate: '0.01' } },
  ],
};
const parameters = [
  { name: 'topic', maxLength: 2000 },
  { name: 'lines', type: 'integer', minimum: 1, maximum: 40, default: 4 },
  { name: 'style', type: 'enum', options: ['plain', 'ornate'], default: 'plain' },
];
const draft = {
  priceUsdc: '0.04',
  priceFormula,
  parameters,
  config: {
    modelId: 'openai/gpt-4o-mini',
    systemPrompt: 'Write {lines}{/lines} lines about {topic}{/topic}, {style}{/style}.',
    maxTokens: 120,
  },
};

async function ask(url: string, body?: unknown, method = 'POST'): Promise<PaymentRequired> {
  const { status, headers } = await send(url, { method, body });
  const header = headers.get('PAYMENT-REQUIRED');
  expect([status, header === null]).toEqual([402, false]);
  return decodePaymentRequiredHeader(header ?? '');
}
const amountOf = (required: PaymentRequired) => required.accepts[0]?.amount;
const toldBy = (required: PaymentRequired) =>
  (required.extensions as unknown as { 'price-by-input': { info: object } })['price-by-input'].info;

test('an unpaid request is asked for the price of its own input, an empty one for the most, and both are told which it is', async () => {
  const { url } = await ruth.publish({ slug: 'by-input', ...draft });
  const exact = await ask(url, { topic: 'a harbour', lines: 7 });
  // 0.002 + 9 x 0.0000105 + 7 x 0.001 = 0.0090945, rounded up.
  expect(amountOf(exact)).toBe('9095');
  expect(toldBy(exact)).toEqual({ isExact: true, fromUsdc: '0.003', toUsdc: '0.04' });
  expect(exact.error).toBe('Payment required');
  expect(amountOf(await ask(url, { topic: 'a harbour', lines: 7, style: 'ornate' }))).toBe('19095');
  expect(amountOf(await ask(`${url}?topic=a%20harbour&lines=7`, undefined, 'GET'))).toBe('9095');
  expect(amountOf(await ask(url, { topic: 'a harbour' }))).toBe('6095');
  for (const none of [undefined, {}, { topic: 5 }]) {
    const most = await ask(url, none);
    expect([amountOf(most), toldBy(most)]).toEqual(['40000', { isExact: false, fromUsdc: '0.003', toUsdc: '0.04' }]);
    expect(most.error).toContain('at most 0.04 USDC. Send the input');
  }
  expect(amountOf(await ask(url, { topic: 'a harbour', lines: 40, style: 'ornate' }))).toBe('40000');
});

test('the amount of the input is what is charged, what the receipt says and what the creator earned', async () => {
  const { id, url } = await ruth.publish({ slug: 'charged', ...draft });
  const buyer = await app.current.makeBuyer();
  const body = { topic: 'a ferry', lines: 3 };
  const before = await app.current.balanceOf(ruth.payTo);
  const payment = await signFor(buyer, await ask(url, body));
  const answer = await send(url, { body, payment });
  expect([answer.status, answer.body['receipt']]).toMatchObject([200, { paidUsdc: '0.005074' }]);
  expect((await app.current.balanceOf(ruth.payTo)) - before).toBe(5_074n);
  const { body: log } = await ruth.call('GET', `/api/usage?resourceId=${id}`);
  expect(log['items']).toMatchObject([{ status: 'success', earnedUsdc: '0.005074' }]);
});

test('a payment for a cheap input buys no dear one, nor one for the most a cheap one: refused before any claim, with the amount', async () => {
  const { url } = await ruth.publish({ slug: 'bound', ...draft });
  const buyer = await app.current.makeBuyer();
  const [cheap, dear] = [
    { topic: 'cheap', lines: 1 },
    { topic: 'a dear one', lines: 30 },
  ];
  const claims = async () =>
    (
      await app.current.database.system.query(`SELECT count(*)::int AS n FROM calls WHERE payer = $1`, [
        buyer.address.toLowerCase(),
      ])
    ).rows[0]?.n as number;
  const required = await ask(url, cheap);
  const payment = await signFor(buyer, required);
  const refused = await send(url, { body: dear, payment });
  expect(refused).toMatchObject({
    status: 402,
    body: {
      error: 'invalid_payment_requirements',
      detail: 'The price follows from the input: this one costs 0.032105 USDC.',
    },
  });
  expect(amountOf(decodePaymentRequiredHeader(refused.headers.get('PAYMENT-REQUIRED') ?? ''))).toBe('32105');
  // One that says it accepts the dear amount and has signed the cheap one.
  const offer = toOffer(required);
  const signed = await signOffer(buyer, offer);
  const lying = encodeHeader({
    ...toEnvelope(2, { ...offer, amountAtomic: 32_105n }, signed),
    resource: required.resource,
  });
  expect((await send(url, { body: dear, payment: lying })).status).toBe(402);
  const first = encodeHeader(toEnvelope(1, { ...offer, amountAtomic: 32_105n }, signed));
  expect((await send(url, { body: dear, headers: { 'X-PAYMENT': first } })).status).toBe(402);
  expect((await send(url, { body: cheap, payment: await payFor(buyer, url) })).status).toBe(402);
  expect(await claims()).toBe(0);
  expect(countRuns(app.current, 'a dear one')).toBe(0);
  expect((await send(url, { body: cheap, payment })).status).toBe(200);
  // The payment is bound to the body that it bought.
  expect((await send(url, { body: dear, payment })).status).not.toBe(200);
  expect(countRuns(app.current, 'a dear one')).toBe(0);
});

test('what was offered a moment ago is still charged, after another formula and after a fixed price, and for no other input', async () => {
  const { id, url } = await ruth.publish({ slug: 'changed', ...draft });
  const buyer = await app.current.makeBuyer();
  const body = { topic: 'tides', lines: 2 };
  const payment = await signFor(buyer, await ask(url, body));
  const publish = async (edit: object) => {
    await ruth.call('PATCH', `/api/resources/${id}`, edit);
    expect((await ruth.call('POST', `/api/resources/${id}/publish`, {})).status).toBe(200);
  };
  const [topic, lines, style] = parameters;
  const usdcByOption = { plain: '0', ornate: '0.01', gilded: '0.03' };
  await publish({
    parameters: [topic, lines, { ...style, options: Object.keys(usdcByOption) }],
    priceFormula: {
      baseUsdc: '0.01',
      terms: [...priceFormula.terms.slice(0, 2), { parameter: 'style', usdcByOption }],
    },
  });
  expect(amountOf(await ask(url, body))).toBe('12053');
  // An option that the replaced formula did not know is not sold for nothing.
  expect((await send(url, { body: { ...body, style: 'gilded' }, payment })).status).toBe(402);
  await publish({ priceFormula: null, priceUsdc: '0.05' });
  expect(amountOf(await ask(url, body))).toBe('50000');
  expect((await send(url, { body: { ...body, lines: 30 }, payment })).status).toBe(402);
  expect(countRuns(app.current, 'tides')).toBe(0);
  const sold = await send(url, { body, payment });
  expect([sold.status, sold.body['receipt']]).toMatchObject([200, { paidUsdc: '0.004053' }]);
});

test('the quote and the public view tell the price of an input, the least, the most and the formula', async () => {
  const { id, url } = await ruth.publish({ slug: 'quoted', ...draft });
  const quote = async (input: object) =>
    (await (
      await fetch(`${app.current.url}/api/resources/${id}/quote`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ input }),
      })
    ).json()) as Record<string, unknown>;
  expect(await quote({ topic: 'a harbour', lines: 7 })).toMatchObject({
    isValid: true,
    priceUsdc: '0.009095',
    maxPriceUsdc: '0.04',
    offers: [{ priceUsdc: '0.009095' }],
  });
  expect(await quote({})).toMatchObject({ isValid: false, priceUsdc: '0.04', maxPriceUsdc: '0.04' });
  const shown = await (await fetch(`${app.current.url}/api/resources/${id}`)).json();
  expect(shown).toMatchObject({ priceUsdc: '0.04', priceFromUsdc: '0.003', priceFormula });
  const page = await (await fetch(url.replace('/@', '/resources/'))).text();
  expect(page).toContain('0.003 to 0.04');
});

test('a formula whose price would not cover its cost is not published: the least and the longest input are looked at', async () => {
  const { body } = await ruth.call('POST', '/api/resources', {
    ...draft,
    kind: 'openrouter_instant',
    slug: 'at-a-loss',
    name: 'At a loss',
    category: 'ai',
    network: 'eip155:84532',
    payTo: ruth.payTo,
    priceFormula: { baseUsdc: '0.0002', terms: [{ parameter: 'topic', per: 'character', usdc: '0' }] },
  });
  const id = String(body['id']);
  const publish = async (edit: object) => {
    await ruth.call('PATCH', `/api/resources/${id}`, edit);
    const { status, body: answer } = await ruth.call('POST', `/api/resources/${id}/publish`, {});
    return { status, errors: answer['errors'] as { path: string; message: string }[] | undefined };
  };
  const refused = await publish({});
  expect(refused.status).toBe(422);
  expect(refused.errors?.[0]).toMatchObject({
    path: '/priceFormula',
    message: expect.stringMatching(/^At the price of an input with 2000 characters of `topic`: A call can cost up to/),
  });
  const byLength = { baseUsdc: '0.0003', terms: [{ parameter: 'topic', per: 'character', usdc: '0.000001' }] };
  expect((await publish({ priceFormula: byLength })).status).toBe(200);
  const { body: own } = await ruth.call('GET', `/api/resources/${id}`);
  const { published } = own['cost'] as { published: Record<string, string> };
  expect(Number(published['worstMarginUsd'])).toBeGreaterThan(0);
  expect((await publish({ priceFormula: { baseUsdc: '0', terms: byLength.terms } })).status).toBe(422);
});

async function readLog(creator: Creator, id: string): Promise<Record<string, unknown>> {
  const { body } = await creator.call('GET', `/api/usage?resourceId=${id}`);
  return (body['items'] as Record<string, unknown>[])[0] ?? {};
}

async function buy(url: string, topic: string) {
  const buyer = await app.current.makeBuyer();
  return send(url, { body: { topic }, payment: await payFor(buyer, url) });
}

test('what a call is worth by its use is shown to its creator alone, and cannot be charged before a scheme does', async () => {
  const rule = { measuredUse: { marginPercent: '50' } };
  const { id, url } = await ruth.publish({ slug: 'measured', ...rule });
  expect((await buy(url, 'a lighthouse')).status).toBe(200);
  const logged = await readLog(ruth, id);
  const worth = Math.ceil(Number(logged['costUsd']) * 1.5 * 1e6 - 1e-6) / 1e6;
  expect([Number(logged['measuredUsdc']), logged['earnedUsdc']]).toEqual([worth, '0.01']);
  const { body: tested } = await ruth.call('POST', `/api/resources/${id}/test`, { input: { topic: 'a lighthouse' } });
  expect(tested).toMatchObject({ ok: true, measuredUsdc: logged['measuredUsdc'] });
  const quote = { input: { topic: 'a lighthouse' } };
  const { body: own } = await ruth.call('POST', `/api/resources/${id}/quote`, quote);
  expect(own['measured']).toMatchObject({
    expectedUsdc: expect.stringMatching(/^0\.000/),
    maxUsdc: '0.01',
    isCharged: false,
  });
  const asked = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(quote) };
  const public_ = await (await fetch(`${app.current.url}/api/resources/${id}/quote`, asked)).json();
  expect(public_).toMatchObject({ measured: null });
  await ruth.call('PATCH', `/api/resources/${id}`, { measuredUse: { marginPercent: '50', isCharged: true } });
  const { status, body } = await ruth.call('POST', `/api/resources/${id}/publish`, {});
  expect([status, body['errors']]).toMatchObject([422, [{ path: '/measuredUse/isCharged' }]]);
});

test.each([
  ['usage_missing', 200],
  ['stream_cut', 502],
])('what a run with %s did cost is found with the key that paid, and the sums follow', async (fault, status) => {
  const { id, url } = await ruth.publish({ slug: `untold-${fault.replace('_', '-')}` });
  control().fail(fault, { times: 1 });
  expect((await buy(url, 'a pier')).status).toBe(status);
  await expect.poll(() => readLog(ruth, id), { timeout: 20_000 }).toMatchObject({ costState: 'found' });
  const { costUsd, generationId } = await readLog(ruth, id);
  const apiKey = app.current.sandbox?.openRouter?.keys.healthy;
  const told = await fetch(`${app.current.sandbox?.openRouter?.url}/generation?id=${String(generationId)}`, {
    headers: { Authorization: `Bearer ${apiKey}` },
  });
  const { data } = (await told.json()) as { data: { total_cost: number } };
  expect(Number(costUsd)).toBe(data.total_cost);
  const { body: summary } = await ruth.call('GET', `/api/usage/summary?resourceId=${id}`);
  expect(summary['current']).toMatchObject({ costUsd, unknownCostCalls: 0 });
});

test("on the operator's key the day's share counts the worst until the cost is told, then the cost", async () => {
  const pat = await app.current.makeCreator('pat', { openRouterKey: null });
  const { id, url } = await pat.publish({ slug: 'untold-shared' });
  const share = async () => (await pat.call('GET', '/api/user/platform-share')).body;
  control().fail('usage_missing', { times: 1 });
  expect((await buy(url, 'a buoy')).status).toBe(200);
  await expect
    .poll(() => readLog(pat, id), { timeout: 20_000 })
    .toMatchObject({ costState: 'found', keySource: 'platform' });
  const { costUsd, worstCostUsd } = await readLog(pat, id);
  expect(Number(costUsd)).toBeLessThan(Number(worstCostUsd));
  expect(await share()).toMatchObject({ spentUsd: costUsd, reservedUsd: '0' });
});

test('a cost that is never told is given up after a day, and the log says so', async () => {
  const { id, url } = await ruth.publish({ slug: 'never-told' });
  control().fail('usage_missing', { times: 1 });
  control().fail('500', { route: 'generation', times: 99 });
  expect((await buy(url, 'fog')).status).toBe(200);
  expect(await readLog(ruth, id)).toMatchObject({ costUsd: null, costState: 'asked' });
  const { callId } = await readLog(ruth, id);
  await app.current.database.system.query(
    `UPDATE usage_cost_lookups SET asked_since = now() - interval '25 hours', next_at = now() WHERE call_id = $1`,
    [callId],
  );
  await expect
    .poll(() => readLog(ruth, id), { timeout: 20_000 })
    .toMatchObject({ costState: 'unknown', marginUsd: null });
});
