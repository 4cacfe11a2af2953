import { parseEther } from 'viem';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startFaultyRpc, type Fault, type FaultyRpc } from './support/faulty-rpc.ts';
import { caught, payingFetch } from './support/openai-client.ts';
import { countRuns, payFor, send, type Answered } from './support/paid-request.ts';
import { makeAccount } from './support/pay.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { useTestChain } from './support/test-chain.ts';

const chain = useTestChain();
const environment: Record<string, string> = {};
let rpc: FaultyRpc;

beforeAll(async () => {
  rpc = await startFaultyRpc(chain.current.rpcUrl);
  const settlerKey = generatePrivateKey();
  await chain.current.fund(privateKeyToAddress(settlerKey), parseEther('10'));
  environment['RPC_URLS'] = `eip155:84532=${rpc.url}`;
  environment['SETTLER_PRIVATE_KEYS'] = settlerKey;
});
afterAll(() => rpc.close());
afterEach(() => rpc.plan(() => null));

const app = useApp(environment);
let creator: Creator;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
});

async function makeBuyer() {
  const account = makeAccount();
  await chain.current.faucet.send(account.address);
  return account;
}

/** The transaction goes out, and from then on the chain does not answer. */
function fallSilentAfterSending(fault: Fault): void {
  let isSent = false;
  rpc.plan((methods) => {
    const isAfter = isSent;
    isSent ||= methods.includes('eth_sendRawTransaction');
    return isAfter || methods.includes('eth_sendRawTransaction') ? fault : null;
  });
}

function expectPending(answer: Answered): void {
  expect(answer).toMatchObject({ status: 503, body: { code: 'settlement_pending', next: expect.any(String) } });
  expect(answer.body).not.toHaveProperty('charged');
  expect(answer.body).toMatchObject({ receipt: { charged: null, paidUsdc: null, transaction: null } });
  expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0);
  expect(answer.headers.get('PAYMENT-REQUIRED')).toBeNull();
  expect(answer.headers.get('PAYMENT-RESPONSE')).toBeNull();
  expect(JSON.stringify(answer.body)).not.toContain('[simulated]');
}

test.each([
  ['the transfer is on the chain', 'drop after'],
  ['the transaction never reached the chain', 'drop before'],
] as const)(
  'nobody knows whether the money moved (%s): no second challenge, no second charge, and the answer comes later',
  async (_, fault) => {
    const slug = fault.replace(' ', '-');
    const { url, id } = await creator.publish({ slug, payTo: makeAccount().address });
    const buyer = await makeBuyer();
    const body = { topic: `a letter that was lost: ${fault}` };
    const payment = await payFor(buyer, url);
    fallSilentAfterSending(fault);
    expectPending(await send(url, { payment, body }));
    expectPending(await send(url, { payment, body }));
    rpc.plan(() => null);
    await expect.poll(async () => (await send(url, { payment, body })).status, { timeout: 20_000 }).toBe(200);
    const answer = await send(url, { payment, body });
    expect(answer).toMatchObject({
      status: 200,
      body: { receipt: { paidUsdc: '0.01' } },
      settlement: { success: true },
    });
    expect(countRuns(app.current, body.topic)).toBe(1);
    expect(await chain.current.balanceAtomic(buyer.address)).toBe(9_990_000n);
    const usage = await creator.call('GET', `/api/usage?resourceId=${id}`);
    expect(usage.body['items']).toMatchObject([{ status: 'success', earnedUsdc: '0.01' }]);
  },
);

test('the chain cannot be asked at all: nothing runs, nothing is said about the charge, the payment stays good', async () => {
  const { url } = await creator.publish({ slug: 'unreachable' });
  const buyer = await makeBuyer();
  const body = { topic: 'a closed post office' };
  const payment = await payFor(buyer, url);
  rpc.plan(() => 'drop before');
  const refused = await send(url, { payment, body });
  expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  expect(refused.body).not.toHaveProperty('charged');
  expect(refused.headers.get('PAYMENT-REQUIRED')).toBeNull();
  expect(countRuns(app.current, body.topic)).toBe(0);
  rpc.plan(() => null);
  expect((await send(url, { payment, body })).status).toBe(200);
  expect(await chain.current.balanceAtomic(buyer.address)).toBe(9_990_000n);
});

test('a client of OpenAI that repeats failed requests by itself signs no second payment for one that may be settled', async () => {
  await creator.publish({ slug: 'repeated', payTo: makeAccount().address });
  const buyer = await makeBuyer();
  const sent: Request[] = [];
  const noting: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    if (request.headers.has('PAYMENT-SIGNATURE')) {
      sent.push(request.clone());
    }
    return fetch(request);
  };
  const client = new OpenAI({
    baseURL: `${app.current.url}/v1`,
    apiKey: 'unused',
    maxRetries: 2,
    fetch: payingFetch(buyer, noting),
  });
  fallSilentAfterSending('drop after');
  const messages = [{ role: 'user' as const, content: 'a letter that was lost twice' }];
  const error = await caught(client.chat.completions.create({ model: 'ada/repeated', messages }));
  expect(error).toBeInstanceOf(OpenAI.InternalServerError);
  expect(error).toMatchObject({ code: 'settlement_pending', error: { receipt: { charged: null } } });
  expect(error.error).not.toHaveProperty('charged');
  expect(sent).toHaveLength(1);
  rpc.plan(() => null);
  const again = async () => (await fetch(sent[0]?.clone() ?? '')).status;
  await expect.poll(again, { timeout: 20_000 }).toBe(200);
  expect(countRuns(app.current, 'a letter that was lost twice')).toBe(1);
  expect(await chain.current.balanceAtomic(buyer.address)).toBe(9_990_000n);
});
