import { beforeAll, beforeEach, expect, test } from 'vitest';
import { demoKeys } from '../sandbox/openrouter/demo-keys.ts';
import { countRuns, payFor, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

const DAILY_USD = '0.002';
const app = useApp({
  OPENROUTER_API_KEY: demoKeys.freeTier,
  OPENROUTER_API_KEY_CREATORS: '*',
  OPENROUTER_API_KEY_DAILY_USD: DAILY_USD,
});
const path = '/api/user/integrations/openrouter';
let bob: Creator;
let count = 0;

beforeAll(() => app.current.sandbox?.openRouter?.control.setCredits(demoKeys.freeTier, '50'));
// Each has a share of their own.
beforeEach(async () => {
  count += 1;
  bob = await app.current.makeCreator(`bob-${count}`, { openRouterKey: null });
});

const dear = { modelId: 'openai/gpt-4o-mini', systemPrompt: 'Write about {topic}{/topic}.', maxTokens: 16_000 };
const read = async (id: string) => (await bob.call('GET', `/api/resources/${id}`)).body;

/** What is left of the day's share of a creator. */
async function leave(usd: string): Promise<void> {
  await app.current.database.system.query(
    `INSERT INTO platform_key_days (owner_id, day, spent_usd)
     SELECT id, (now() AT TIME ZONE 'utc')::date, $1::numeric - $2::numeric FROM users WHERE username = $3
     ON CONFLICT (owner_id, day) DO UPDATE SET spent_usd = excluded.spent_usd, reserved_usd = 0`,
    [DAILY_USD, usd, bob.username],
  );
}

test("what costs more than the day's share of the operator's key is not published, and a cheaper one or an own key is", async () => {
  const refused = await bob.publish({ slug: 'dear', config: dear }).catch(String);
  expect(refused).toMatch(/answered 422.*One call may cost up to 0\.\d+ USD.*is 0\.002 USD a day/);
  expect((await bob.publish({ slug: 'cheap' })).url).toBeTruthy();
});

test("a resource that the operator's key cannot pay for is paused when the own key goes, before any buyer is charged", async () => {
  await bob.call('PUT', path, { apiKey: app.current.sandbox?.openRouter?.keys.healthy });
  const { id, url } = await bob.publish({
    slug: 'was-own',
    priceUsdc: '0.05',
    config: dear,
    settlementPoint: 'upfront',
  });
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  await bob.call('DELETE', path);
  const before = await app.current.balanceOf(buyer.address);
  const answered = await send(url, { payment, body: { topic: 'never run on the shared key' } });
  expect(answered).toMatchObject({ status: 503, body: { code: 'unavailable', charged: false } });
  expect(await app.current.balanceOf(buyer.address)).toBe(before);
  expect(countRuns(app.current, 'never run on the shared key')).toBe(0);
  expect(await read(id)).toMatchObject({
    state: 'paused',
    pausedBy: 'key',
    pauseCause: expect.stringMatching(/One call may cost up to/),
  });
  const stored = await bob.call('PUT', path, { apiKey: app.current.sandbox?.openRouter?.keys.healthy });
  expect(stored.body['resumed']).toMatchObject([{ id }]);
  await bob.call('DELETE', path);
});

test("what does not fit into what is left of today's share is not sold until tomorrow, paid first or not", async () => {
  const { id, url } = await bob.publish({ slug: 'rest', settlementPoint: 'upfront' });
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  await leave('0.00000001');
  await expect.poll(async () => (await send(url)).status, { timeout: 40_000, interval: 500 }).toBe(503);
  const before = await app.current.balanceOf(buyer.address);
  const answered = await send(url, { payment, body: { topic: 'nothing left' } });
  expect(answered).toMatchObject({ status: 503, body: { code: 'unavailable', charged: false } });
  expect(Number(answered.headers.get('Retry-After'))).toBeGreaterThan(0);
  expect(await app.current.balanceOf(buyer.address)).toBe(before);
  expect(await read(id)).toMatchObject({ state: 'published' });
  const { body: inbox } = await bob.call('GET', '/api/user/notices?event=calls_refused');
  expect(inbox['items']).toMatchObject([
    {
      subject: 'platform_limit_reached',
      body: expect.stringMatching(/begins anew at 00:00 UTC.*before a payment was taken/),
    },
  ]);
});

test("of calls that are paid first and sent at once, only as many are charged as today's share can run", async () => {
  const config = { ...dear, maxTokens: 700 };
  const { id, url } = await bob.publish({ slug: 'at-once', config, settlementPoint: 'upfront' });
  const { published } = (await read(id))['cost'] as { published: { worstCostUsd: string } };
  const worst = Number(published.worstCostUsd);
  const buyers = await Promise.all(Array.from({ length: 6 }, () => app.current.makeBuyer()));
  const payments = await Promise.all(buyers.map((buyer) => payFor(buyer, url)));
  await leave((worst * 2.5).toFixed(9));
  const answers = await Promise.all(payments.map((payment) => send(url, { payment, body: { topic: 'six at once' } })));
  const paid = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status === 503);
  expect(paid.length).toBeGreaterThanOrEqual(2);
  expect(paid.length + refused.length).toBe(6);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.every(({ body }) => body['charged'] === false)).toBe(true);
  const balances = await Promise.all(buyers.map(({ address }) => app.current.balanceOf(address)));
  expect(balances.filter((balance) => balance < 10_000_000n)).toHaveLength(paid.length);
});
