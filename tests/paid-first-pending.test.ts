import { parseEther } from 'viem';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { listKinds } from '../src/plugins.ts';
import { startFaultyRpc, type FaultyRpc } from './support/faulty-rpc.ts';
import { drain } from './support/drain.ts';
import { payFor, send } from './support/paid-request.ts';
import { makeAccount } from './support/pay.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { startStreamSource, type StreamSource } from './support/stream-source.ts';
import { useTestChain } from './support/test-chain.ts';
import { openToyStream } from './support/toy-stream.ts';

/* What becomes of an answer in parts whose payment does not settle at its first output, or not to anybody's knowledge. */
const chain = useTestChain();
const environment: Record<string, string> = {};
let rpc: FaultyRpc;
let source: StreamSource;

beforeAll(async () => {
  source = await startStreamSource();
  rpc = await startFaultyRpc(chain.current.rpcUrl);
  const settlerKey = generatePrivateKey();
  await chain.current.fund(privateKeyToAddress(settlerKey), parseEther('10'));
  environment['RPC_URLS'] = `eip155:84532=${rpc.url}`;
  environment['SETTLER_PRIVATE_KEYS'] = settlerKey;
});
afterAll(async () => {
  await rpc.close();
  await source.close();
});
afterEach(() => {
  rpc.plan(() => null);
  source.release();
});

const app = useApp(environment, { listKinds: (deps) => [...listKinds(deps), openToyStream()] });
let creator: Creator;
let url: string;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
  const config = { source: source.url };
  ({ url } = await creator.publish({ slug: 's', kind: 'toy_stream', settlementPoint: 'at_first_output', config }));
});

async function makeBuyer() {
  const account = makeAccount();
  await chain.current.faucet.send(account.address);
  return account;
}

async function readCall(payer: string) {
  const { rows } = await app.current.database.system.query<{ state: string; has_answer: boolean }>(
    'SELECT state, answer IS NOT NULL AS has_answer FROM calls WHERE payer = $1',
    [payer.toLowerCase()],
  );
  return rows[0];
}

async function readAnswer(payment: string, topic: string): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'PAYMENT-SIGNATURE': payment },
    body: JSON.stringify({ topic }),
  });
  return response.text();
}

/** The transaction goes out, and from then on the chain does not answer. */
function fallSilentAfterSending(): void {
  let isSent = false;
  rpc.plan((methods) => {
    isSent ||= methods.includes('eth_sendRawTransaction');
    return isSent ? 'drop after' : null;
  });
}

test('nobody knows whether the money moved: the run goes on, and its answer is there when the chain shows the transfer', async () => {
  const [buyer, topic] = [await makeBuyer(), 'an unknown settlement'];
  const payment = await payFor(buyer, url);
  const held = source.hold(topic, 2);
  fallSilentAfterSending();
  const answering = send(url, { payment, body: { topic } });
  await held;
  expect(await answering).toMatchObject({ status: 503, body: { code: 'settlement_pending' } });
  expect(await readCall(buyer.address)).toEqual({ state: 'pending', has_answer: false });
  source.release();
  await expect.poll(() => readCall(buyer.address)).toEqual({ state: 'pending', has_answer: true });
  rpc.plan(() => null);
  await expect.poll(async () => (await readCall(buyer.address))?.state, { timeout: 60_000 }).toBe('settled');
  expect(await readAnswer(payment, topic)).toContain('"response":"one two three"');
  expect(source.countRuns(topic)).toBe(1);
  expect(await chain.current.balanceAtomic(buyer.address)).toBe(9_990_000n);
});

test('paid before it runs, and nobody knows: it runs once the chain shows the transfer', async () => {
  const config = { source: source.url };
  const prepaid = await creator.publish({ slug: 'p', kind: 'toy_stream', settlementPoint: 'upfront', config });
  const [buyer, topic] = [await makeBuyer(), 'an unknown charge'];
  const payment = await payFor(buyer, prepaid.url);
  fallSilentAfterSending();
  const unknown = await send(prepaid.url, { payment, body: { topic } });
  expect(unknown).toMatchObject({ status: 503, body: { code: 'settlement_pending' } });
  expect(source.countRuns(topic)).toBe(0);
  rpc.plan(() => null);
  await expect.poll(() => readCall(buyer.address), { timeout: 60_000 }).toEqual({ state: 'settled', has_answer: true });
  const answered = await send(prepaid.url, { payment, body: { topic } });
  expect(answered).toMatchObject({ status: 200, body: { response: 'one two three' } });
  expect(source.countRuns(topic)).toBe(1);
  expect(await chain.current.balanceAtomic(buyer.address)).toBe(9_990_000n);
});

test('the transfer is found while the answer is still being made: it is stored at its end', async () => {
  const [buyer, topic] = [await makeBuyer(), 'found in the middle'];
  const payment = await payFor(buyer, url);
  const held = source.hold(topic, 2);
  fallSilentAfterSending();
  const answering = send(url, { payment, body: { topic } });
  await held;
  expect((await answering).status).toBe(503);
  rpc.plan(() => null);
  await expect.poll(async () => (await readCall(buyer.address))?.state, { timeout: 60_000 }).toBe('fulfilling');
  source.release();
  await expect.poll(() => readCall(buyer.address)).toEqual({ state: 'settled', has_answer: true });
  expect(await readAnswer(payment, topic)).toContain('one two three');
  expect(source.countRuns(topic)).toBe(1);
});

test('a payment that is refused when its output is there: the output is withheld and its run is given up', async () => {
  const [buyer, topic] = [await makeBuyer(), 'a drained wallet'];
  const payment = await payFor(buyer, url);
  const held = source.hold(topic, 0);
  void source.hold(topic, 1);
  const answering = send(url, { payment, body: { topic } });
  await held;
  await drain({ chain: chain.current, address: buyer.address });
  const gone = source.untilLeft(topic);
  source.release();
  const refused = await answering;
  expect(refused).toMatchObject({ status: 402, settlement: { success: false } });
  expect(JSON.stringify(refused.body)).not.toContain('one');
  await gone;
  expect(await readCall(buyer.address)).toEqual({ state: 'unpaid', has_answer: false });
});
