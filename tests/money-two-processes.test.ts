import type { PaymentRequired } from '@x402/core/types';
import { decodePaymentRequiredHeader } from '@x402/core/http';
import { beforeAll, expect, test } from 'vitest';
import { send, signFor } from './support/paid-request.ts';
import type { ServerChild } from './support/server-child.ts';
import { useWorld } from './support/server-world.ts';
import type { Creator } from './support/start-app.ts';

/* What bounds a creator's money and what a call costs, over two servers that are processes of their own. */
const world = useWorld();
let one: ServerChild;
let other: ServerChild;

beforeAll(async () => {
  [one, other] = await Promise.all([world.current.startServer(), world.current.startServer()]);
});

async function ask(url: string, body?: unknown): Promise<PaymentRequired> {
  const { status, headers } = await send(url, { body });
  const header = headers.get('PAYMENT-REQUIRED');
  expect([url, status, header === null]).toEqual([url, 402, false]);
  return decodePaymentRequiredHeader(header ?? '');
}

const amountOf = (required: PaymentRequired) => required.accepts[0]?.amount;
const statusAt = async (server: ServerChild, path: string) => (await send(server.url + path)).status;
const newWallet = async (path: string) => (await world.current.makeBuyer(one.url + path, 'x')).account;
const readNotices = async (of: Creator, event: string) =>
  (await of.call('GET', `/api/user/notices?event=${event}`)).body['items'] as Record<string, unknown>[];

test('calls at once at both never hold more than a cap; it is told once, and raised in one it is raised in the other', async () => {
  const creator = await world.current.makeCreator(one, 'capper');
  const path = '/@capper/essay';
  const { id } = await creator.publish({ slug: 'essay' });
  const { body: own } = await creator.call('GET', `/api/resources/${id}`);
  const worst = (own['cost'] as { published: { worstCostUsd: string } }).published.worstCostUsd;
  const wallets = await Promise.all(Array.from({ length: 8 }, () => newWallet(path)));
  const signed = await Promise.all(wallets.map(async (wallet) => signFor(wallet, await ask(one.url + path))));
  const perDayUsd = (Number(worst) * 2.5).toFixed(6);
  const capped = await creator.call('PUT', '/api/user/spend-caps', { scope: 'resource', subject: id, perDayUsd });
  expect(capped.status).toBe(200);
  const body = { topic: 'capped at both' };
  const { upstream } = world.current.gates;
  const reached = upstream.hold((text) => text.includes(body.topic), 'before');
  const ended: number[] = [];
  const answers = signed.map(async (payment, index) => {
    const answer = await send((index % 2 ? one : other).url + path, { payment, body });
    ended.push(answer.status);
    return answer;
  });
  await reached;
  // While two stand still at the model there is no room for a third.
  await expect.poll(() => ended, { timeout: 20_000 }).toEqual(Array(6).fill(503));
  await expect
    .poll(() => readNotices(creator, 'spend_cap_reached'))
    .toMatchObject([
      { data: { scope: 'resource', subject: 'essay', perDayUsd, refused: { slug: 'essay', worstUsd: worst } } },
    ]);
  await expect
    .poll(() => Promise.all([statusAt(one, path), statusAt(other, path)]), { timeout: 20_000 })
    .toEqual([503, 503]);
  upstream.letGo();
  const all = await Promise.all(answers);
  expect(all.filter(({ status }) => status === 200)).toHaveLength(2);
  expect(all.filter(({ status }) => status === 503).map(({ body: { charged } }) => charged)).toEqual(
    Array(6).fill(false),
  );
  expect(await world.current.chain.current.balanceAtomic(creator.payTo)).toBe(20_000n);
  // Both have been asked, and the refusals of both are one notice.
  expect(await readNotices(creator, 'spend_cap_reached')).toHaveLength(1);

  const put = (server: ServerChild, usd: string) =>
    send(`${server.url}/api/user/spend-caps`, {
      method: 'PUT',
      body: { scope: 'resource', subject: id, perDayUsd: usd },
      cookie: creator.cookie,
      headers: { Origin: server.url },
    });
  expect((await put(one, '0.000001')).status).toBe(200);
  await expect.poll(() => statusAt(other, path), { timeout: 20_000 }).toBe(503);
  expect((await put(other, '5')).status).toBe(200);
  await expect.poll(() => statusAt(one, path), { timeout: 20_000 }).toBe(402);
  // Those who were refused are served by the same payment.
  const late = all.findIndex(({ status }) => status === 503);
  expect((await send(one.url + path, { payment: signed[late] ?? '', body })).status).toBe(200);
  expect(await world.current.audit(creator.payTo)).toEqual([]);
});

test('a price by input that is quoted and asked at one is paid at the other; a formula that one has replaced is honoured there', async () => {
  const creator = await world.current.makeCreator(one, 'pricer');
  const path = '/@pricer/poem';
  const { id } = await creator.publish({
    slug: 'poem',
    priceUsdc: '0.04',
    priceFormula: { baseUsdc: '0.002', terms: [{ parameter: 'lines', per: 'value', usdc: '0.001' }] },
    parameters: [
      { name: 'topic', maxLength: 200 },
      { name: 'lines', type: 'integer', minimum: 1, maximum: 30, default: 4 },
    ],
    config: {
      modelId: 'openai/gpt-4o-mini',
      systemPrompt: 'Write {lines}{/lines} lines about {topic}{/topic}.',
      maxTokens: 120,
    },
  });
  const body = { topic: 'a harbour', lines: 7 };
  const quoted = await send(`${one.url}/api/resources/${id}/quote`, { body: { input: body } });
  expect(quoted.body).toMatchObject({ priceUsdc: '0.009', maxPriceUsdc: '0.04' });
  const [now, before, cheat] = await Promise.all([newWallet(path), newWallet(path), newWallet(path)]);
  const required = await ask(one.url + path, body);
  expect(amountOf(required)).toBe('9000');
  const payment = await signFor(now, required);
  expect((await send(other.url + path, { payment, body: { ...body, lines: 30 } })).status).toBe(402);
  expect(await send(other.url + path, { payment, body })).toMatchObject({
    status: 200,
    body: { receipt: { paidUsdc: '0.009' } },
  });

  const [old, lying] = [await signFor(before, required), await signFor(cheat, required)];
  const priceFormula = { baseUsdc: '0.003', terms: [{ parameter: 'lines', per: 'value', usdc: '0.001' }] };
  await creator.call('PATCH', `/api/resources/${id}`, { priceFormula });
  expect((await creator.call('POST', `/api/resources/${id}/publish`, {})).status).toBe(200);
  await expect.poll(async () => amountOf(await ask(other.url + path, body))).toBe('10000');
  // The amount of the replaced formula buys the input that it was for, and no other.
  expect((await send(other.url + path, { payment: lying, body: { ...body, lines: 8 } })).status).toBe(402);
  expect(await send(other.url + path, { payment: old, body })).toMatchObject({
    status: 200,
    body: { receipt: { paidUsdc: '0.009' } },
  });
  expect(await world.current.chain.current.balanceAtomic(creator.payTo)).toBe(18_000n);
  expect(await world.current.audit(creator.payTo)).toEqual([]);
});
