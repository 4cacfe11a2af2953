import { expect, test } from 'vitest';
import { sendRaw } from './support/send-raw.ts';
import { useApp } from './support/start-app.ts';

const app = useApp();
const curl = { 'User-Agent': 'curl/8.5.0', Accept: '*/*' };

test('POST to the haiku without a payment tells in JSON what it costs, what it wants and where to go on', async () => {
  const path = '/@demo/haiku';
  const { status, headers, json, text } = await sendRaw(app.current.url, { method: 'POST', path, headers: curl });
  expect(status).toBe(402);
  expect(headers['content-type']).toMatch(/^application\/json/);
  expect(String(headers['payment-required']).length).toBeLessThan(8192);
  expect(json).toMatchObject({
    x402Version: 1,
    accepts: [
      { scheme: 'exact', network: 'base-sepolia', maxAmountRequired: '10000', resource: `${app.current.url}${path}` },
    ],
  });
  expect(JSON.stringify(json)).toMatch(/What the haiku is about/);
  const get = await sendRaw(app.current.url, { path, headers: curl });
  expect(get.status).toBe(402);
  expect(get.json).toMatchObject({ accepts: [{ outputSchema: { input: { method: 'GET', queryParams: {} } } }] });
  expect(JSON.parse(text)).toMatchObject({
    accepts: [{ outputSchema: { input: { method: 'POST', bodyFields: {} } } }],
  });
});

test('GET /sandbox describes everything that is needed to try, and what is not real', async () => {
  const { status, json } = await sendRaw(app.current.url, { path: '/sandbox', headers: curl });
  expect(status).toBe(200);
  expect(json).toMatchObject({
    network: 'eip155:84532',
    chainId: 84532,
    asset: { symbol: 'USDC', decimals: 6 },
    faucet: { method: 'POST', url: `${app.current.url}/sandbox/faucet` },
    simulated: [{ what: 'chain' }, { what: 'asset' }, { what: 'upstream' }, { what: 'mail' }],
  });
  const chain = await fetch(String(json['rpcUrl']), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}',
  });
  expect(await chain.json()).toMatchObject({ result: '0x14a34' });
});

test('the faucet gives 10 USDC that can be seen on the chain; curl’s own content type is explained', async () => {
  const address = '0x00000000000000000000000000000000000c0ffe';
  const request = { method: 'POST', path: '/sandbox/faucet', body: JSON.stringify({ address }) };
  const form = { ...curl, 'Content-Type': 'application/x-www-form-urlencoded' };
  const forgotten = await sendRaw(app.current.url, { ...request, headers: form });
  expect(forgotten.json).toMatchObject({
    status: 415,
    detail: expect.stringContaining('Content-Type: application/json') as string,
  });
  const given = await sendRaw(app.current.url, {
    ...request,
    headers: { ...curl, 'Content-Type': 'application/json' },
  });
  expect(given.status).toBe(200);
  expect(given.json).toMatchObject({ amountUsdc: '10', balanceUsdc: '10', network: 'eip155:84532' });
  expect(await app.current.balanceOf(address)).toBe(10_000_000n);
});
