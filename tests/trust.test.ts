import { randomBytes } from 'node:crypto';
import { createTestClient, http } from 'viem';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { countRuns, getChallenge, payFor, send, signFor, toOffer } from './support/paid-request.ts';
import { encodeHeader, makeAccount, signOffer, toEnvelope } from './support/pay.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { withoutLedger } from './support/without-ledger.ts';

/** Who is trusted with what before money has moved, and what is said when something breaks afterwards. */
const app = useApp({ TRUSTED_PROXY_HOPS: '1' });
let creator: Creator;
let url = '';

const control = () => {
  const simulator = app.current.sandbox?.openRouter;
  if (!simulator) {
    throw new Error('There is no simulator.');
  }
  return simulator.control;
};
const newTopic = (): string => `topic ${randomBytes(4).toString('hex')}`;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
  ({ url } = await creator.publish({ slug: 'essay' }));
});

afterEach(() => control().setLatency({ firstTokenMs: 0 }));

test('payer and nonce, which the chain shows to everybody, do not open the answer that they bought', async () => {
  const buyer = await app.current.makeBuyer();
  const offer = toOffer(await getChallenge(url));
  const signed = await signOffer(buyer, offer);
  const body = { topic: 'a topic that can be guessed' };
  const bought = await send(url, { payment: encodeHeader(toEnvelope(2, offer, signed)), body });
  expect(bought.status).toBe(200);
  const { from, nonce } = signed.authorization;
  const guesses = [
    {
      signature: `0x${'11'.repeat(65)}`,
      authorization: { from, nonce, to: makeAccount().address, value: '1', validAfter: '0', validBefore: '1' },
    },
    { signature: `0x${'11'.repeat(65)}`, authorization: signed.authorization },
  ];
  for (const guess of guesses) {
    for (const named of [offer, { ...offer, amountAtomic: 1n }]) {
      const stolen = await send(url, { payment: encodeHeader(toEnvelope(2, named, guess)), body });
      expect(stolen).toMatchObject({ status: 402, settlement: { success: false } });
      expect(JSON.stringify(stolen.body)).not.toContain(String(bought.body['response']).slice(12, 60));
    }
  }
});

test('an Idempotency-Key keeps an answer to who knows it', async () => {
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  const body = { topic: newTopic() };
  const headers = { 'Idempotency-Key': randomBytes(16).toString('hex') };
  expect((await send(url, { payment, body, headers })).status).toBe(200);
  expect((await send(url, { payment, body })).status).toBe(409);
  expect((await send(url, { payment, body, headers })).status).toBe(200);
});

test('a wallet is trusted with no more work at once than its balance covers', async () => {
  const dear = await creator.publish({ slug: 'dear', priceUsdc: '4' });
  const buyer = await app.current.makeBuyer();
  const topic = newTopic();
  control().setLatency({ firstTokenMs: 300 });
  const payments = await Promise.all(Array.from({ length: 20 }, () => payFor(buyer, dear.url)));
  const answers = await Promise.all(payments.map((payment) => send(dear.url, { payment, body: { topic } })));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
  expect(answers.filter(({ status }) => status === 402)).toHaveLength(18);
  expect(countRuns(app.current, topic)).toBe(2);
});

test('a wallet that let answers go unpaid pays before it is worked for that day', async () => {
  const buyer = await app.current.makeBuyer();
  const first = await send(url, { payment: await payFor(buyer, url), body: { topic: newTopic() } });
  expect(first.status).toBe(200);
  await app.current.database.system.query(
    `INSERT INTO calls SELECT (r).* FROM (SELECT jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(), 'uniqueness_key', n::text, 'state', 'unpaid', 'transaction', null, 'trust_usd', 0.01)) AS r
     FROM calls c, generate_series(1, 5) n WHERE c.payer = $1) made`,
    [buyer.address.toLowerCase()],
  );
  const topic = newTopic();
  control().fail('ok_empty');
  const payment = await payFor(buyer, url);
  const owed = await send(url, { payment, body: { topic } });
  expect(owed).toMatchObject({ status: 503, body: { code: 'answer_owed', charged: true } });
  await expect.poll(async () => (await send(url, { payment, body: { topic } })).status, { timeout: 20_000 }).toBe(200);
  expect(countRuns(app.current, topic)).toBe(2);
});

test('a wallet that could not pay for what is paid before it runs has cost nobody work, and is trusted as before', async () => {
  const buyer = await app.current.makeBuyer();
  const first = await send(url, { payment: await payFor(buyer, url), body: { topic: newTopic() } });
  expect(first.status).toBe(200);
  await app.current.database.system.query(
    `INSERT INTO calls SELECT (r).* FROM (SELECT jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(), 'uniqueness_key', n::text, 'state', 'unpaid', 'transaction', null, 'offer', offer || '{"paymentFlow": "upfront"}')) AS r
     FROM calls c, generate_series(1, 5) n WHERE c.payer = $1) made`,
    [buyer.address.toLowerCase()],
  );
  const second = await send(url, { payment: await payFor(buyer, url), body: { topic: newTopic() } });
  expect(second.status).toBe(200);
});

test('an authorisation that ends before the run may end is refused, so that no buyer times the cut', async () => {
  const buyer = await app.current.makeBuyer();
  const topic = newTopic();
  const validBefore = String(Math.floor(Date.now() / 1000) + 30);
  const refused = await send(url, { payment: await payFor(buyer, url, { validBefore }), body: { topic } });
  expect(refused).toMatchObject({
    status: 402,
    settlement: { errorReason: 'invalid_exact_evm_payload_authorization_valid_before' },
  });
  expect(countRuns(app.current, topic)).toBe(0);
});

test('what a client adds to the offer it accepts cannot break the claim', async () => {
  for (const extra of ['\0', '\ud800', 'x'.repeat(2000)]) {
    const buyer = await app.current.makeBuyer();
    const offer = toOffer(await getChallenge(url));
    const signed = await signOffer(buyer, offer);
    const strange = { ...offer, extra: { ...offer.extra, strange: extra } } as typeof offer;
    const paid = await send(url, {
      payment: encodeHeader(toEnvelope(2, strange, signed)),
      body: { topic: newTopic() },
    });
    expect(paid.status).toBe(200);
  }
});

test('an address that sends nothing but empty wallets is turned away before it fills the database', async () => {
  const required = await getChallenge(url);
  const headers = { 'X-Forwarded-For': '203.0.113.7' };
  const answers: number[] = [];
  for (let n = 0; n < 70; n += 1) {
    const payment = await signFor(makeAccount(), required);
    answers.push((await send(url, { payment, headers, body: { topic: 'x' } })).status);
  }
  expect(answers.filter((status) => status === 402).length).toBeLessThanOrEqual(60);
  expect(answers.at(-1)).toBe(429);
});

test('a contract wallet that paid gets its answer again, not a new challenge', async () => {
  const chain = app.current.sandbox?.chain;
  const wallet = makeAccount().address;
  // Whatever it is asked, it answers with the magic value of ERC-1271.
  const code = '0x631626ba7e60e01b60005260206000f3';
  await createTestClient({ mode: 'anvil', transport: http(chain?.rpcUrl) }).setCode({
    address: wallet,
    bytecode: code,
  });
  await chain?.faucet.send(wallet);
  const payment = await payFor(makeAccount(), url, { from: wallet });
  const body = { topic: newTopic() };
  const first = await send(url, { payment, body });
  expect(first.status).toBe(200);
  const again = await send(url, { payment, body });
  expect(again).toMatchObject({ status: 200, body: first.body });
  expect(countRuns(app.current, body.topic)).toBe(1);
});

test('when the books cannot be written after the money moved, the buyer is asked to come back, and gets the answer', async () => {
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  const body = { topic: newTopic() };
  const broken = await withoutLedger(app.current.databaseUrl, () => send(url, { payment, body }));
  expect(broken).toMatchObject({ status: 503, body: { code: 'settlement_pending' } });
  expect(broken.body).not.toHaveProperty('charged');
  expect(await app.current.balanceOf(buyer.address)).toBe(9_990_000n);
  await app.current.database.system.query(`UPDATE calls SET deadline = now() - interval '1 second' WHERE payer = $1`, [
    buyer.address.toLowerCase(),
  ]);
  await app.current.gateway.reconcile();
  expect(await send(url, { payment, body })).toMatchObject({ status: 200, body: { receipt: { paidUsdc: '0.01' } } });
  expect(await app.current.balanceOf(buyer.address)).toBe(9_990_000n);
});
