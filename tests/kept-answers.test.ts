import { randomBytes, randomUUID } from 'node:crypto';
import axios from 'axios';
import { wrapAxiosWithPayment, x402Client as AxiosClient } from '@x402/axios';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import type { CompleteSIWxInfo } from '@x402/extensions/sign-in-with-x';
import { wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { generatePrivateKey, privateKeyToAddress, type PrivateKeyAccount } from 'viem/accounts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startAnotherProcess, type AnotherProcess } from './support/another-process.ts';
import { countRuns, getChallenge, payFor, send, toOffer, type Answered } from './support/paid-request.ts';
import { encodeHeader, makeAccount, signOffer, toEnvelope } from './support/pay.ts';
import { signIn } from './support/sign-in.ts';
import { useApp } from './support/start-app.ts';
import { readPaymentFromChain, stealAnswers } from './support/stranger.ts';

const masterKey = randomBytes(32).toString('hex');
const app = useApp({ MASTER_KEY: masterKey });
let url: string;
let other: AnotherProcess;

beforeAll(async () => {
  const creator = await app.current.makeCreator('ada');
  ({ url } = await creator.publish({ slug: 'essay' }));
  const settlerKey = generatePrivateKey();
  await app.current.sandbox?.fund(privateKeyToAddress(settlerKey));
  const shared = { MASTER_KEY: masterKey, PUBLIC_URL: app.current.url };
  other = await startAnotherProcess(app.current, { ...shared, SETTLER_PRIVATE_KEYS: settlerKey });
});
afterAll(() => other.stop());
beforeEach(() => app.current.sandbox?.openRouter?.control.setLatency({ firstTokenMs: 0 }));

const here = () => url;
const there = () => url.replace(app.current.url, other.url);
const json = { 'Content-Type': 'application/json' };
const newTopic = () => `topic ${randomBytes(6).toString('hex')}`;
const spentBy = async (address: string) => 10_000_000n - (await app.current.balanceOf(address));

describe('a stranger who rebuilds a settled payment from the chain, with the same URL and body', () => {
  test.each([
    ['in the process that sold the answer', here],
    ['in another process', there],
  ])('gets 0 of 20 kept answers (%s), only that the payment bought one', async (_, asked) => {
    const { stolen, told } = await stealAnswers(app.current, { url: here(), ask: asked() });
    expect(stolen).toEqual([]);
    for (const { status, body, headers, transaction } of told) {
      expect({ status, body }).toMatchObject({
        status: 403,
        body: { code: 'buyer_unproven', charged: true, transaction },
      });
      expect(['receipt', 'answerToken', 'callId'].filter((name) => name in body)).toEqual([]);
      const withheld = ['PAYMENT-REQUIRED', 'PAYMENT-RESPONSE', 'X-Farebox-Answer-Token'];
      expect(withheld.filter((name) => headers.has(name))).toEqual([]);
    }
  });
});

describe('an official client, unmodified, whose connection is cut after the settlement', () => {
  /** Lets the paid request be carried out, loses the first answer, and sends the very same request again, as retrying clients do. */
  function losing(): { fetch: typeof fetch; lost: number } {
    const state = {
      lost: 0,
      fetch: async (input: Parameters<typeof fetch>[0], init?: RequestInit) => {
        const request = new Request(input, init);
        if (!request.headers.has('PAYMENT-SIGNATURE')) {
          return fetch(request);
        }
        const again = request.clone();
        await (await fetch(request)).body?.cancel();
        state.lost += 1;
        return fetch(again);
      },
    };
    return state;
  }

  test('@x402/fetch gets the kept answer by sending the same request again', async () => {
    const [buyer, topic, cut] = [await app.current.makeBuyer(), newTopic(), losing()];
    const client = new x402Client().register('eip155:*', new ExactEvmScheme(buyer));
    const init = { method: 'POST', headers: json, body: JSON.stringify({ topic }) };
    const response = await wrapFetchWithPayment(cut.fetch, client)(here(), init);
    expect({ status: response.status, lost: cut.lost }).toEqual({ status: 200, lost: 1 });
    expect(await response.json()).toMatchObject({ response: expect.any(String), receipt: { paidUsdc: '0.01' } });
    expect(countRuns(app.current, topic)).toBe(1);
    expect(await spentBy(buyer.address)).toBe(10_000n);
  });

  test('@x402/axios gets it too, from another process', async () => {
    const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
    const instance = axios.create();
    let lost = 0;
    instance.interceptors.response.use(async (response) => {
      if (response.config.headers.has('PAYMENT-SIGNATURE') && response.config.url === here()) {
        lost += 1;
        return axios.request({ ...response.config, url: there() });
      }
      return response;
    });
    const client = new AxiosClient().register('eip155:*', new ExactEvmScheme(buyer));
    const response = await wrapAxiosWithPayment(instance, client).post(here(), { topic });
    expect({ status: response.status, lost }).toEqual({ status: 200, lost: 1 });
    expect(response.data).toMatchObject({ receipt: { paidUsdc: '0.01' } });
    expect(countRuns(app.current, topic)).toBe(1);
  });
});

interface Bought {
  buyer: PrivateKeyAccount;
  topic: string;
  /** PAYMENT-SIGNATURE without anything that the challenge gave. */
  bare: string;
  first: Answered;
}

/** Bought by a client that sends nothing of the challenge back. */
async function buyBare(headers: Record<string, string> = {}, extensions?: object): Promise<Bought> {
  const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
  const offer = toOffer(await getChallenge(here()));
  const envelope = toEnvelope(2, offer, await signOffer(buyer, offer));
  const bare = encodeHeader(envelope);
  const payment = extensions ? encodeHeader({ ...envelope, extensions }) : bare;
  const first = await send(here(), { payment, headers, body: { topic } });
  expect(first.status).toBe(200);
  return { buyer, topic, bare: payment, first };
}

const askAgain = ({ bare, topic }: Bought, headers: Record<string, string> = {}, at = here()) =>
  send(at, { payment: bare, headers, body: { topic } });
const unproven = { status: 403, body: { code: 'buyer_unproven', charged: true } };

describe('the same payment after its settlement gets the kept answer', () => {
  test('with the secret of its challenge, and with no other one', async () => {
    const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
    const payment = await payFor(buyer, here());
    const first = await send(here(), { payment, body: { topic } });
    expect((await send(there(), { payment, body: { topic } })).body).toEqual(first.body);
    const envelope = JSON.parse(Buffer.from(payment, 'base64').toString()) as Record<string, unknown>;
    const { extensions } = await getChallenge(here());
    const fresh = encodeHeader({ ...envelope, extensions });
    expect(await send(here(), { payment: fresh, body: { topic } })).toMatchObject(unproven);
  });

  test('with the token of its first answer, which no later answer repeats', async () => {
    const bought = await buyBare();
    const token = bought.first.headers.get('X-Farebox-Answer-Token') ?? '';
    expect(token).toMatch(/^[A-Za-z0-9_-]{24}$/);
    const again = await askAgain(bought, { 'X-Farebox-Answer-Token': token }, there());
    expect(again).toMatchObject({ status: 200, body: bought.first.body });
    expect(again.headers.get('X-Farebox-Answer-Token')).toBeNull();
    const others = (await buyBare()).first.headers.get('X-Farebox-Answer-Token') ?? '';
    expect(await askAgain(bought, { 'X-Farebox-Answer-Token': others })).toMatchObject(unproven);
    expect(await askAgain(bought)).toMatchObject(unproven);
  });

  test('with a random Idempotency-Key of its first request; one that can be guessed is none', async () => {
    const random = { 'Idempotency-Key': randomUUID() };
    const bought = await buyBare(random);
    expect(await askAgain(bought, random, there())).toMatchObject({ status: 200, body: bought.first.body });
    const plain = { 'Idempotency-Key': 'order-17' };
    expect(await askAgain(await buyBare(plain), plain)).toMatchObject(unproven);
  });

  test('with its random payment-identifier', async () => {
    const info = { required: false, id: `pay_${randomUUID().replaceAll('-', '')}` };
    const bought = await buyBare({}, { 'payment-identifier': { info } });
    expect(await askAgain(bought, {}, there())).toMatchObject({ status: 200, body: bought.first.body });
    const guessable = await buyBare(
      {},
      { 'payment-identifier': { info: { required: false, id: 'order-000000000017' } } },
    );
    expect(await askAgain(guessable)).toMatchObject(unproven);
  });

  test('with a signature of the wallet that paid, over what the refusal asks to be signed', async () => {
    const bought = await buyBare();
    const refused = await askAgain(bought);
    expect(refused).toMatchObject(unproven);
    const header = await signIn(refused, bought.buyer);
    const again = await askAgain(bought, { 'SIGN-IN-WITH-X': header }, there());
    expect(again).toMatchObject({ status: 200, body: bought.first.body });
  });

  test('from an old client with version 1, by its token and by its wallet', async () => {
    const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
    const offer = toOffer(await getChallenge(here()));
    const payment = encodeHeader(toEnvelope(1, offer, await signOffer(buyer, offer)));
    const ask = (headers: Record<string, string> = {}) =>
      send(here(), { headers: { 'X-PAYMENT': payment, ...headers }, body: { topic } });
    const first = await ask();
    expect(first.status).toBe(200);
    const refused = await ask();
    expect(refused).toMatchObject(unproven);
    const token = first.headers.get('X-Farebox-Answer-Token') ?? '';
    expect(await ask({ 'X-Farebox-Answer-Token': token })).toMatchObject({ status: 200, body: first.body });
    const header = await signIn(refused, buyer);
    expect(await ask({ 'SIGN-IN-WITH-X': header })).toMatchObject({ status: 200, body: first.body });
  });
});

describe('a signature is no proof', () => {
  test.each<[string, (bought: Bought) => Promise<Partial<CompleteSIWxInfo>>]>([
    ['for another origin', async () => ({ domain: 'evil.example', uri: 'https://evil.example/@ada/essay' })],
    ['for another resource of this origin', async () => ({ uri: `${app.current.url}/@ada/other` })],
    ['for another call', async () => ({ nonce: randomBytes(16).toString('hex') })],
    ['on another network', async () => ({ chainId: 'eip155:8453' })],
    ['that has expired', async () => ({ expirationTime: new Date(Date.now() - 1000).toISOString() })],
    ['of an hour ago', async () => ({ issuedAt: new Date(Date.now() - 3_600_000).toISOString() })],
    ['of tomorrow', async () => ({ notBefore: new Date(Date.now() + 86_400_000).toISOString() })],
  ])('%s', async (_, change) => {
    const bought = await buyBare();
    const refused = await askAgain(bought);
    const header = await signIn(refused, bought.buyer, await change(bought));
    expect(await askAgain(bought, { 'SIGN-IN-WITH-X': header })).toMatchObject(unproven);
  });

  test('of another wallet, in its own name or in that of the buyer', async () => {
    const bought = await buyBare();
    const refused = await askAgain(bought);
    const stranger = makeAccount();
    const own = await signIn(refused, stranger);
    expect(await askAgain(bought, { 'SIGN-IN-WITH-X': own })).toMatchObject(unproven);
    const payload = JSON.parse(Buffer.from(own, 'base64').toString()) as object;
    const lied = encodeHeader({ ...payload, address: bought.buyer.address });
    expect(await askAgain(bought, { 'SIGN-IN-WITH-X': lied })).toMatchObject(unproven);
    expect(await askAgain(bought, { 'SIGN-IN-WITH-X': 'nonsense' })).toMatchObject(unproven);
  });
});

test.each([
  ['in the same process', here],
  ['in another process', there],
])(
  'the same payment that comes while its call runs is the secret itself and gets the answer (%s)',
  async (_, asked) => {
    const [buyer, topic] = [await app.current.makeBuyer(), newTopic()];
    const offer = toOffer(await getChallenge(here()));
    const payment = encodeHeader(toEnvelope(2, offer, await signOffer(buyer, offer)));
    app.current.sandbox?.openRouter?.control.setLatency({ firstTokenMs: 600 });
    const first = send(here(), { payment, body: { topic } });
    await expect.poll(() => countRuns(app.current, topic)).toBe(1);
    const second = await send(asked(), { payment, body: { topic } });
    expect(second).toMatchObject({ status: 200, body: (await first).body });
    expect(countRuns(app.current, topic)).toBe(1);
    expect(await send(asked(), { payment, body: { topic } })).toMatchObject(unproven);
  },
);

test('what the chain shows of a call that is gone tells its transaction and nothing else', async () => {
  const bought = await buyBare();
  await app.current.database.system.query('UPDATE calls SET answer = NULL WHERE payer = $1', [
    bought.buyer.address.toLowerCase(),
  ]);
  const seen = await readPaymentFromChain(app.current, bought.buyer.address);
  const told = await send(here(), { payment: seen.v2, body: { topic: bought.topic } });
  expect(told).toMatchObject({ status: 410, body: { code: 'gone', charged: true } });
  expect(told.body).not.toHaveProperty('receipt');
});
