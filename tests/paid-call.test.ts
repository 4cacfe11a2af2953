import { ExactEvmScheme } from '@x402/evm/exact/client';
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { expect, test } from 'vitest';
import { useApp } from './support/start-app.ts';

const app = useApp();

test('the official client pays and gets its answer; the balances move by exactly the price', async () => {
  const creator = await app.current.makeCreator('ada');
  const { url, id } = await creator.publish({ slug: 'essay' });
  const buyer = await app.current.makeBuyer();
  const client = new x402Client().register('eip155:*', new ExactEvmScheme(buyer));
  const response = await wrapFetchWithPayment(fetch, client)(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ topic: 'rivers' }),
  });
  const body = (await response.json()) as Record<string, unknown>;
  expect(body).toMatchObject({
    simulated: true,
    receipt: { paidUsdc: '0.01', payer: buyer.address.toLowerCase(), version: 1 },
  });
  expect(response.status).toBe(200);
  const settled = decodePaymentResponseHeader(response.headers.get('PAYMENT-RESPONSE') ?? '');
  expect(settled).toMatchObject({ success: true });
  expect(await app.current.balanceOf(buyer.address)).toBe(9_990_000n);
  expect(await app.current.balanceOf(creator.payTo)).toBe(10_000n);
  const usage = await creator.call('GET', `/api/usage?resourceId=${id}`);
  expect(usage.body['items']).toMatchObject([{ status: 'success', payer: buyer.address.toLowerCase() }]);
});
