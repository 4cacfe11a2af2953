import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCallbackReceiver, type CallbackReceiver } from './support/callback-receiver.ts';
import { countOrders, film } from './support/films.ts';
import type { ServerChild } from './support/server-child.ts';
import { balanceOf, stateOf, useWorld, type Buyer } from './support/server-world.ts';

/*
 * All processes end while runs go on behind their 202, and a new one starts on the same database: nothing is ordered or
 * paid twice, tokens and callbacks included.
 */
const world = useWorld();
let receiver: CallbackReceiver;
beforeAll(async () => {
  receiver = await startCallbackReceiver();
});
afterAll(() => receiver.close());

const orders = (): number => countOrders(world.current.simulator);

const startServer = () =>
  world.current.startServer({
    OPENROUTER_BASE_URL: world.current.simulator.url,
    CALLBACK_ORIGINS: receiver.origin,
  });

async function begin(url: string, name: string) {
  const buyer = await world.current.makeBuyer(url, name);
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'PAYMENT-SIGNATURE': buyer.header,
      Prefer: 'respond-async',
      'X-Farebox-Callback': `${receiver.origin}/${name}`,
    },
    body: JSON.stringify({ topic: name }),
  });
  const body = (await response.json()) as { statusToken: string; statusUrl: string };
  expect({ status: response.status, body }).toMatchObject({ status: 202 });
  const ask = async (server: ServerChild, part = '') => {
    const there = body.statusUrl.replace(new URL(body.statusUrl).origin, server.url);
    const headers = { Authorization: `Bearer ${body.statusToken}`, Prefer: 'wait=60' };
    const answered = await fetch(`${there}${part}`, { headers });
    return { status: answered.status, body: (await answered.json()) as Record<string, unknown> };
  };
  const calledBack = () => receiver.received.filter(({ path }) => path === `/${name}`);
  return { buyer, ask, calledBack };
}

async function untilJob({ account }: Buyer): Promise<void> {
  const text = 'SELECT 1 FROM calls WHERE payer = $1 AND checkpoint IS NOT NULL';
  const find = () => world.current.database.system.query(text, [account.address.toLowerCase()]);
  await expect.poll(async () => (await find()).rows.length, { timeout: 20_000, interval: 20 }).toBe(1);
}

test.each<['SIGTERM' | 'kill -9', (server: ServerChild) => Promise<unknown>]>([
  ['SIGTERM', (server) => server.stop()],
  ['kill -9', (server) => server.kill()],
])(
  '%s of the only process: the next one ends what was running, paid or not, and calls back for what was done',
  async (how, end) => {
    const { database, simulator } = world.current;
    const user = how === 'SIGTERM' ? 'ada' : 'eve';
    simulator.control.reset();
    const first = await startServer();
    const creator = await world.current.makeCreator(first, user);
    simulator.control.setLatency({ firstTokenMs: 0 });
    const done = await begin((await creator.publish({ slug: 'done', ...film })).url, `${user}-done`);
    receiver.refuse(`/${user}-done`, 500);
    expect((await done.ask(first)).body).toMatchObject({ state: 'succeeded' });
    await expect.poll(() => done.calledBack().length, { timeout: 20_000, interval: 20 }).toBe(1);

    simulator.control.setLatency({ firstTokenMs: 3_600_000 });
    const late = await begin((await creator.publish({ slug: 'late', ...film })).url, `${user}-late`);
    const upfront = { ...film, runsLong: true, settlementPoint: 'upfront' };
    const early = await begin((await creator.publish({ slug: 'early', ...upfront })).url, `${user}-early`);
    await Promise.all([untilJob(late.buyer), untilJob(early.buyer)]);
    expect(await stateOf(database, late.buyer)).toBe('running');
    expect(await stateOf(database, early.buyer)).toBe('fulfilling');
    await end(first);
    await world.current.buryTheDead();
    await database.system.query('UPDATE long_calls SET callback_due_at = now() WHERE callback_due_at IS NOT NULL');
    simulator.control.setLatency({ firstTokenMs: 0 });

    const second = await startServer();
    for (const { ask, buyer, calledBack } of [done, late, early]) {
      expect((await ask(second)).body).toMatchObject({
        state: 'succeeded',
        charged: true,
        receipt: { paidUsdc: '2.2' },
      });
      const video = { contentType: 'video/mp4' };
      expect(await ask(second, '/result')).toMatchObject({
        status: 200,
        body: { video, receipt: { paidUsdc: '2.2' } },
      });
      expect(await balanceOf(world.current, buyer)).toBe(7_800_000n);
      await expect.poll(() => calledBack().at(-1)?.body, { timeout: 30_000, interval: 50 }).toMatch(/call\.succeeded/);
    }
    // As the same message: the first was not taken.
    await expect.poll(() => done.calledBack().length, { timeout: 30_000, interval: 50 }).toBe(2);
    expect(new Set(done.calledBack().map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(orders()).toBe(3);
    expect(await world.current.audit(creator.payTo)).toEqual([]);
    await second.stop();
  },
);
