import { decodePaymentResponseHeader } from '@x402/core/http';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { ExactEvmSchemeV1 } from '@x402/evm/v1';
import { x402HTTPClient } from '@x402/core/client';
import { wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { payFor, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { readPaymentFromChain } from './support/stranger.ts';

const app = useApp();
let creator: Creator;
let resource: { url: string };
let paidFirst: { url: string };

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
  resource = await creator.publish({ slug: 'essay' });
  paidFirst = await creator.publish({ slug: 'first', settlementPoint: 'upfront' });
});
afterEach(() => app.current.sandbox?.openRouter?.control.clearFaults());

const fail = (fault: 'ok_empty' | 'ok_content_filter') =>
  app.current.sandbox?.openRouter?.control.fail(fault, { times: 50 });
const spentBy = async (address: string) => 10_000_000n - (await app.current.balanceOf(address));

describe('a call that claimed a payment and failed', () => {
  test.each([
    { what: 'an empty answer', fault: 'ok_empty', status: 502, code: 'upstream_failed' },
    { what: 'a refusal of the model', fault: 'ok_content_filter', status: 422, code: 'content_refused' },
  ] as const)('has a receipt that nothing was charged ($what)', async ({ fault, status, code }) => {
    const buyer = await app.current.makeBuyer();
    fail(fault);
    const payment = await payFor(buyer, resource.url);
    const answer = await send(resource.url, { payment, body: { topic: 'rivers' } });
    expect(answer).toMatchObject({
      status,
      body: {
        code,
        charged: false,
        receipt: {
          callId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          payer: buyer.address.toLowerCase(),
          resource: resource.url,
          version: 1,
          network: 'eip155:84532',
          charged: false,
          paidUsdc: '0',
          transaction: null,
          at: expect.any(String),
          next: answer.body['next'],
        },
      },
    });
    expect(answer.settlement).toEqual({
      success: false,
      errorReason: code,
      payer: buyer.address.toLowerCase(),
      transaction: '',
      network: 'eip155:84532',
    });
    expect(answer.headers.get('X-Farebox-Answer-Token')).toBeNull();
    expect(await spentBy(buyer.address)).toBe(0n);
    const usage = await creator.call('GET', '/api/usage?status=failed');
    const { callId } = answer.body['receipt'] as { callId: string };
    expect(JSON.stringify(usage.body)).toContain(callId);
  });

  test('is handed up by the official client with its PAYMENT-RESPONSE, and it does not pay again', async () => {
    const buyer = await app.current.makeBuyer();
    fail('ok_empty');
    const client = new x402Client().register('eip155:*', new ExactEvmScheme(buyer));
    let sent = 0;
    const counting: typeof fetch = (input, init) => {
      sent += 1;
      return fetch(input, init);
    };
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"topic":"rivers"}' };
    const response = await wrapFetchWithPayment(counting, client)(resource.url, init);
    expect({ status: response.status, sent }).toEqual({ status: 502, sent: 2 });
    expect(new x402HTTPClient(client).getPaymentSettleResponse((name) => response.headers.get(name))).toMatchObject({
      success: false,
      errorReason: 'upstream_failed',
    });
    expect(await response.json()).toMatchObject({ receipt: { paidUsdc: '0' } });
  });

  test('tells a client of version 1 in its own header', async () => {
    const buyer = await app.current.makeBuyer();
    fail('ok_empty');
    const client = new x402Client().registerV1('base-sepolia', new ExactEvmSchemeV1(buyer));
    const http = new x402HTTPClient(client);
    const required = http.getPaymentRequiredResponse(() => null, (await send(resource.url)).body);
    const headers = http.encodePaymentSignatureHeader(await client.createPaymentPayload(required));
    const answer = await send(resource.url, { headers, body: { topic: 'rivers' } });
    expect(answer).toMatchObject({ status: 502, body: { receipt: { charged: false } } });
    expect(decodePaymentResponseHeader(answer.headers.get('X-PAYMENT-RESPONSE') ?? '')).toMatchObject({
      success: false,
      errorReason: 'upstream_failed',
      network: 'base-sepolia',
    });
  });
});

test('a call that was refused before it claimed its payment has no receipt', async () => {
  const payment = await payFor(await app.current.makeBuyer(), resource.url);
  const answer = await send(resource.url, { payment, body: {} });
  expect(answer).toMatchObject({ status: 400, body: { charged: false }, settlement: null });
  expect(answer.body).not.toHaveProperty('receipt');
});

test('an owed call has a receipt with its transaction, a token, and the answer for its buyer alone', async () => {
  const buyer = await app.current.makeBuyer();
  const body = { topic: 'debts' };
  fail('ok_empty');
  const payment = await payFor(buyer, paidFirst.url);
  const owed = await send(paidFirst.url, { payment, body });
  const transaction = expect.stringMatching(/^0x[0-9a-f]{64}$/) as string;
  const receipt = { payer: buyer.address.toLowerCase(), charged: true, paidUsdc: '0.01', transaction };
  expect(owed).toMatchObject({
    status: 503,
    body: { code: 'answer_owed', charged: true, receipt, answerToken: expect.stringMatching(/^[A-Za-z0-9_-]{24}$/) },
    settlement: { success: true, transaction },
  });
  expect(owed.headers.get('X-Farebox-Answer-Token')).toBe(owed.body['answerToken']);
  const again = await send(paidFirst.url, { payment, body });
  expect(again).toMatchObject({ status: 503, body: { code: 'answer_owed', receipt }, settlement: { transaction } });

  const seen = await readPaymentFromChain(app.current, buyer.address);
  const asStranger = () => send(paidFirst.url, { headers: { 'X-PAYMENT': seen.v1 }, body });
  const told = await asStranger();
  expect(told).toMatchObject({ status: 503, body: { code: 'answer_owed', charged: true } });
  expect(['receipt', 'answerToken'].filter((name) => name in told.body)).toEqual([]);
  app.current.sandbox?.openRouter?.control.clearFaults();
  await expect.poll(async () => (await asStranger()).status, { timeout: 60_000, interval: 300 }).toBe(403);
  expect(await asStranger()).toMatchObject({ status: 403, body: { code: 'buyer_unproven', transaction } });
  const answered = await send(paidFirst.url, { payment, body });
  expect(answered).toMatchObject({ status: 200, body: { receipt: { transaction, paidUsdc: '0.01' } } });
  expect(await spentBy(buyer.address)).toBe(10_000n);
});
