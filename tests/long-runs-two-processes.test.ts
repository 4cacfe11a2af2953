import { expect, test } from 'vitest';
import { countOrders, film } from './support/films.ts';
import type { ServerChild } from './support/server-child.ts';
import { balanceOf, stateOf, useWorld, type Buyer } from './support/server-world.ts';

/*
 * Films that are made behind a 202 while the process that ordered them is killed or stopped. Another one goes on: one film
 * is ordered, one payment moves, one answer is there.
 */
const world = useWorld();

const orders = (): number => countOrders(world.current.simulator);

async function startPair(username: string) {
  const { simulator } = world.current;
  const environment = { OPENROUTER_BASE_URL: simulator.url };
  simulator.control.reset();
  simulator.control.setLatency({ firstTokenMs: 3_600_000 });
  const [first, second] = await Promise.all([
    world.current.startServer(environment),
    world.current.startServer(environment),
  ]);
  return { first, second, creator: await world.current.makeCreator(first, username) };
}

/** Begins a film at the first server; resolves when its job is noted. How it is followed at another one. */
async function begin(url: string, { first, second }: { first: ServerChild; second: ServerChild }) {
  const buyer = await world.current.makeBuyer(url, 'a lighthouse');
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'PAYMENT-SIGNATURE': buyer.header, Prefer: 'respond-async' },
    body: JSON.stringify({ topic: buyer.topic }),
  });
  const { statusToken, statusUrl } = (await response.json()) as { statusToken: string; statusUrl: string };
  expect(response.status).toBe(202);
  await expect.poll(() => hasJob(buyer), { timeout: 20_000, interval: 20 }).toBe(true);
  const there = statusUrl.replace(first.url, second.url);
  const ask = async (part = '', init: { method?: string; Prefer?: string } = {}) => {
    const { method = 'GET', ...headers } = init;
    const answered = await fetch(`${there}${part}`, {
      method,
      headers: { Authorization: `Bearer ${statusToken}`, ...headers },
    });
    return { status: answered.status, body: (await answered.json()) as Record<string, unknown> };
  };
  return { buyer, ask };
}

async function hasJob({ account }: Buyer): Promise<boolean> {
  const { rows } = await world.current.database.system.query(
    'SELECT 1 FROM calls WHERE payer = $1 AND checkpoint IS NOT NULL',
    [account.address.toLowerCase()],
  );
  return rows.length === 1;
}

const video = { contentType: 'video/mp4' };
const untilDone = { Prefer: 'wait=60' };

test('kill -9: another process, where their buyers wait already, finishes a run that is not paid yet and one that is', async () => {
  const { database, simulator } = world.current;
  const pair = await startPair('ada');
  const { creator, first } = pair;
  const late = await begin((await creator.publish({ slug: 'late', ...film })).url, pair);
  const early = await begin(
    (await creator.publish({ slug: 'early', ...film, runsLong: true, settlementPoint: 'upfront' })).url,
    pair,
  );
  expect(await stateOf(database, late.buyer)).toBe('running');
  expect(await stateOf(database, early.buyer)).toBe('fulfilling');
  const waiting = [late.ask('', untilDone), early.ask('', untilDone)];
  await first.kill();
  await world.current.buryTheDead();
  simulator.control.setLatency({ firstTokenMs: 0 });
  for (const { body } of await Promise.all(waiting)) {
    expect(body).toMatchObject({ state: 'succeeded', charged: true, receipt: { paidUsdc: '2.2' } });
  }
  for (const { ask, buyer } of [late, early]) {
    expect(await ask('/result')).toMatchObject({ status: 200, body: { video, receipt: { paidUsdc: '2.2' } } });
    expect(await balanceOf(world.current, buyer)).toBe(7_800_000n);
  }
  expect(orders()).toBe(2);
  expect(await world.current.audit(creator.payTo)).toEqual([]);
});

test('a stop does not wait for long runs and loses none of them, and what another process cancels ends here', async () => {
  const { database, simulator } = world.current;
  const pair = await startPair('eve');
  const { creator, first } = pair;
  // Two films of one resource would be more than is done on trust.
  const kept = await begin((await creator.publish({ slug: 'kept', ...film })).url, pair);
  const taken = await begin((await creator.publish({ slug: 'taken', ...film })).url, pair);
  expect(await taken.ask('', { method: 'DELETE' })).toMatchObject({ status: 200, body: { state: 'cancelled' } });
  expect(await stateOf(database, taken.buyer)).toBe('failed');
  const waiting = kept.ask('', untilDone);
  expect(await first.stop()).toBe(0);
  simulator.control.setLatency({ firstTokenMs: 0 });
  expect((await waiting).body).toMatchObject({ state: 'succeeded', receipt: { paidUsdc: '2.2' } });
  expect(await kept.ask('/result')).toMatchObject({ status: 200, body: { video } });
  expect(await balanceOf(world.current, taken.buyer)).toBe(10_000_000n);
  expect(orders()).toBe(2);
  expect(await world.current.audit(creator.payTo)).toEqual([]);
});
