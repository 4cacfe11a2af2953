import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { countRuns, getChallenge, payFor, send, signFor } from './support/paid-request.ts';
import { holdFailure } from './support/hold-failure.ts';
import { startAnotherProcess, type AnotherProcess } from './support/another-process.ts';
import { useApp, type Creator } from './support/start-app.ts';

const masterKey = randomBytes(32).toString('hex');
const app = useApp({ MASTER_KEY: masterKey, NETWORKS: 'eip155:84532,eip155:8453' });
let creator: Creator;
let resource: { id: string; url: string };
let other: AnotherProcess;
let counter = 0;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
  resource = await creator.publish({ slug: 'essay' });
  const settlerKey = generatePrivateKey();
  await app.current.sandbox?.fund(privateKeyToAddress(settlerKey));
  other = await startAnotherProcess(app.current, { MASTER_KEY: masterKey, SETTLER_PRIVATE_KEYS: settlerKey });
});
afterAll(() => other.stop());
beforeEach(() => app.current.sandbox?.openRouter?.control.setLatency({ firstTokenMs: 0 }));

/** As if the new version had been published five minutes ago. Versions never change but by the database's owner. */
async function letGracePass(resourceId: string): Promise<void> {
  const owner = new pg.Client({ connectionString: app.current.databaseUrl });
  await owner.connect();
  await owner.query(`
    BEGIN;
    ALTER TABLE x402_resource_versions DISABLE TRIGGER USER, NO FORCE ROW LEVEL SECURITY;
    UPDATE x402_resource_versions SET superseded_at = superseded_at - interval '5 minutes'
    WHERE resource_id = '${resourceId}' AND superseded_at IS NOT NULL;
    ALTER TABLE x402_resource_versions ENABLE TRIGGER USER, FORCE ROW LEVEL SECURITY;
    COMMIT`);
  await owner.query(`SELECT pg_notify('resources_changed', $1)`, [resourceId]);
  await owner.end();
}

/** A topic that no other test uses, so that its executions can be counted. */
const newTopic = () => `topic number ${(counter += 1)} of ${randomBytes(4).toString('hex')}`;
const spentBy = async (address: string) => 10_000_000n - (await app.current.balanceOf(address));
const readState = async (payer: string) => {
  const { rows } = await app.current.database.system.query<{ state: string }>(
    'SELECT state FROM calls WHERE payer = $1',
    [payer.toLowerCase()],
  );
  return rows[0]?.state;
};
const elsewhere = () => resource.url.replace(app.current.url, other.url);

describe('the same payment 50 times at once', () => {
  test.each([
    ['to one process', () => [resource.url, resource.url]],
    ['to two processes', () => [resource.url, elsewhere()]],
  ])('%s: one run, one settlement, one answer', async (_, targets) => {
    const buyer = await app.current.makeBuyer();
    const topic = newTopic();
    const payment = await payFor(buyer, resource.url);
    app.current.sandbox?.openRouter?.control.setLatency({ firstTokenMs: 300 });
    const [first = '', second = ''] = targets();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_value, index) =>
        send(index % 2 === 0 ? first : second, { payment, body: { topic } }),
      ),
    );
    const good = answers.filter(({ status }) => status === 200);
    const others = answers.filter(({ status }) => status !== 200);
    expect(good.length).toBeGreaterThan(0);
    expect(new Set(good.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(new Set(good.map(({ settlement }) => settlement?.transaction)).size).toBe(1);
    for (const { status, body } of others) {
      expect({ status, body }).toMatchObject({ status: 409, body: { code: 'payment_in_use' } });
    }
    expect(countRuns(app.current, topic)).toBe(1);
    expect(await spentBy(buyer.address)).toBe(10_000n);
  });
});

describe('one payment', () => {
  test('buys one answer: afterwards it gets the same one again, from any process', async () => {
    const buyer = await app.current.makeBuyer();
    const topic = newTopic();
    const payment = await payFor(buyer, resource.url);
    const first = await send(resource.url, { payment, body: { topic } });
    expect(first.status).toBe(200);
    const again = await send(resource.url, { payment, body: { topic } });
    const there = await send(elsewhere(), { payment, body: { topic } });
    for (const answer of [again, there]) {
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual(first.body);
      expect(answer.settlement).toEqual(first.settlement);
      expect(answer.headers.get('Cache-Control')).toBe('private, no-store');
    }
    expect(countRuns(app.current, topic)).toBe(1);
    expect(await spentBy(buyer.address)).toBe(10_000n);
  });

  test.each<[string, (topic: string) => { url: string; body: unknown }]>([
    ['another body', (topic) => ({ url: resource.url, body: { topic: `${topic}!` } })],
    ['another query', (topic) => ({ url: `${resource.url}?again=1`, body: { topic } })],
    ['another process and body', (topic) => ({ url: elsewhere(), body: { topic: `${topic}!` } })],
  ])('is refused for %s', async (_, change) => {
    const buyer = await app.current.makeBuyer();
    const topic = newTopic();
    const payment = await payFor(buyer, resource.url);
    expect((await send(resource.url, { payment, body: { topic } })).status).toBe(200);
    const { url, body } = change(topic);
    const refused = await send(url, { payment, body });
    expect(refused).toMatchObject({
      status: 409,
      body: { code: 'payment_in_use', next: expect.stringContaining('Sign a new payment') },
    });
    expect([refused.headers.get('PAYMENT-REQUIRED'), refused.headers.get('Retry-After')]).toEqual([null, null]);
    expect(countRuns(app.current, topic)).toBe(1);
    expect(await spentBy(buyer.address)).toBe(10_000n);
  });

  test('is good for every spelling of the path, once: the others are the same request', async () => {
    const buyer = await app.current.makeBuyer();
    const topic = newTopic();
    const spellings = ['/@ada/essay', '/@ada/essay/', '/%40ada/essay', '/@Ada/Essay', '/%40ADA/%65ssay/'].map(
      (path) => `${app.current.url}${path}`,
    );
    for (const spelling of spellings) {
      expect((await getChallenge(spelling)).resource?.url).toBe(resource.url);
    }
    const payment = await payFor(buyer, spellings[3] ?? '');
    const first = await send(spellings[4] ?? '', { payment, body: { topic } });
    expect(first.status).toBe(200);
    for (const spelling of spellings) {
      expect(await send(spelling, { payment, body: { topic } })).toMatchObject({ status: 200, body: first.body });
    }
    const otherQuery = await send(`${spellings[1]}?again=1`, { payment, body: { topic } });
    expect(otherQuery).toMatchObject({ status: 409, body: { code: 'payment_in_use' } });
    expect(countRuns(app.current, topic)).toBe(1);
    expect(await spentBy(buyer.address)).toBe(10_000n);
  });

  test('is not good for another resource of the same price and payee', async () => {
    const twin = await creator.publish({ slug: `twin-${randomBytes(3).toString('hex')}` });
    const buyer = await app.current.makeBuyer();
    const topic = newTopic();
    const payment = await payFor(buyer, resource.url);
    const both = await Promise.all([
      send(resource.url, { payment, body: { topic } }),
      send(twin.url, { payment, body: { topic } }),
    ]);
    expect(both.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 409]);
    expect(countRuns(app.current, topic)).toBe(1);
    expect(await spentBy(buyer.address)).toBe(10_000n);
  });

  test('that bought nothing is good for another request', async () => {
    const buyer = await app.current.makeBuyer();
    const topic = newTopic();
    const payment = await payFor(buyer, resource.url);
    app.current.sandbox?.openRouter?.control.fail('ok_empty');
    const failed = await send(resource.url, { payment, body: { topic } });
    expect(failed).toMatchObject({ status: 502, body: { charged: false } });
    const answered = await send(elsewhere(), { payment, body: { topic: `${topic} once more` } });
    expect(answered).toMatchObject({ status: 200, body: { receipt: { paidUsdc: '0.01' } } });
    expect(countRuns(app.current, topic)).toBe(2);
    expect(await spentBy(buyer.address)).toBe(10_000n);
  });

  test('sent ten times at once to a run that fails: one failure, no charge, and it is good again', async () => {
    const buyer = await app.current.makeBuyer();
    const topic = newTopic();
    const payment = await payFor(buyer, resource.url);
    const control = app.current.sandbox?.openRouter?.control;
    control?.fail('ok_content_filter', { times: 10 });
    // One that comes after the run has failed begins anew, and is charged first.
    const held = await holdFailure(app.current.databaseUrl, buyer.address);
    const sent = Array.from({ length: 10 }, () => send(resource.url, { payment, body: { topic } }));
    await expect.poll(() => held.countClaims()).toBe(10);
    await held.release();
    const answers = await Promise.all(sent);
    control?.clearFaults();
    expect(answers.filter(({ status }) => status === 422).length).toBeGreaterThanOrEqual(1);
    for (const { status, body } of answers) {
      expect(status).toBeOneOf([409, 422]);
      // The chain is asked once a second; who comes between reads nothing of a charge.
      expect(body['charged'] ?? false).toBe(false);
    }
    expect(await spentBy(buyer.address)).toBe(0n);
    expect((await send(resource.url, { payment, body: { topic } })).status).toBe(200);
    expect(await spentBy(buyer.address)).toBe(10_000n);
  });

  test('of a buyer who hangs up early: the answer waits for the same payment', async () => {
    const buyer = await app.current.makeBuyer();
    const topic = newTopic();
    const payment = await payFor(buyer, resource.url);
    app.current.sandbox?.openRouter?.control.setLatency({ firstTokenMs: 400 });
    const hangUp = new AbortController();
    const left = fetch(resource.url, {
      method: 'POST',
      signal: hangUp.signal,
      headers: { 'Content-Type': 'application/json', 'PAYMENT-SIGNATURE': payment },
      body: JSON.stringify({ topic }),
    });
    await expect.poll(() => countRuns(app.current, topic)).toBe(1);
    hangUp.abort();
    await expect(left).rejects.toThrow(/abort/i);
    await expect.poll(() => spentBy(buyer.address)).toBe(10_000n);
    await expect.poll(() => readState(buyer.address)).toBe('settled');
    const answer = await send(elsewhere(), { payment, body: { topic } });
    expect(answer).toMatchObject({ status: 200, body: { receipt: { paidUsdc: '0.01' } } });
    await expect.poll(() => readState(buyer.address)).toBe('delivered');
    expect(countRuns(app.current, topic)).toBe(1);
    expect(await spentBy(buyer.address)).toBe(10_000n);
  });

  test('is still answered after the resource was priced anew on another network, paused or archived', async () => {
    const shop = await creator.publish({ slug: `shop-${randomBytes(3).toString('hex')}` });
    const buyer = await app.current.makeBuyer();
    const topic = newTopic();
    const payment = await payFor(buyer, shop.url);
    const first = await send(shop.url, { payment, body: { topic } });
    expect(first.status).toBe(200);
    await creator.call('PATCH', `/api/resources/${shop.id}`, { priceUsdc: '0.05', network: 'eip155:8453' });
    for (const step of ['publish', 'pause', 'archive']) {
      expect((await creator.call('POST', `/api/resources/${shop.id}/${step}`)).status).toBe(200);
      await letGracePass(shop.id);
      await expect.poll(async () => JSON.stringify((await send(shop.url)).body)).not.toContain('base-sepolia');
      expect(await send(shop.url, { payment, body: { topic } })).toMatchObject({ status: 200, body: first.body });
    }
    expect(countRuns(app.current, topic)).toBe(1);
  });
});

test('two payments for the same request run and pay twice', async () => {
  const buyer = await app.current.makeBuyer();
  const topic = newTopic();
  const payments = await Promise.all([payFor(buyer, resource.url), payFor(buyer, resource.url)]);
  const answers = await Promise.all(payments.map((payment) => send(resource.url, { payment, body: { topic } })));
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(new Set(answers.map(({ settlement }) => settlement?.transaction)).size).toBeGreaterThan(0);
  expect(countRuns(app.current, topic)).toBe(2);
  expect(await spentBy(buyer.address)).toBe(20_000n);
});

test('a buyer who can pay once and sends two payments at once gets one answer', async () => {
  const dear = await creator.publish({ slug: `dear-${randomBytes(3).toString('hex')}`, priceUsdc: '6' });
  const buyer = await app.current.makeBuyer();
  const payments = await Promise.all([payFor(buyer, dear.url), payFor(buyer, dear.url)]);
  const answers = await Promise.all(
    payments.map((payment) => send(dear.url, { payment, body: { topic: newTopic() } })),
  );
  expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 402]);
  const refused = answers.find(({ status }) => status === 402);
  expect(refused).toMatchObject({ settlement: { success: false }, body: { x402Version: 1 } });
  expect(await spentBy(buyer.address)).toBe(6_000_000n);
});

describe('a new price', () => {
  const change = { priceUsdc: '0.03', timeoutSeconds: 90 };

  test.each(['here', 'there'])('leaves the old offer payable for a while (%s)', async (where) => {
    const shop = await creator.publish({ slug: `sale-${randomBytes(3).toString('hex')}` });
    const target = where === 'here' ? shop.url : shop.url.replace(app.current.url, other.url);
    const buyer = await app.current.makeBuyer();
    const old = await getChallenge(target);
    await creator.call('PATCH', `/api/resources/${shop.id}`, change);
    expect((await creator.call('POST', `/api/resources/${shop.id}/publish`)).status).toBe(200);
    const within = await send(target, { payment: await signFor(buyer, old), body: { topic: newTopic() } });
    expect(within).toMatchObject({ status: 200, body: { receipt: { paidUsdc: '0.01' } } });
    await letGracePass(shop.id);
    const topic = newTopic();
    const late = () => signFor(buyer, old).then((payment) => send(target, { payment, body: { topic } }));
    await expect.poll(async () => (await late()).status).toBe(402);
    const required = await getChallenge(target);
    expect(required.accepts[0]).toMatchObject({ amount: '30000' });
    const fresh = await send(target, { payment: await signFor(buyer, required), body: { topic } });
    expect(fresh).toMatchObject({ status: 200, body: { receipt: { paidUsdc: '0.03', version: 2 } } });
  });
});
