import { expect, test } from 'vitest';
import { send, stateOf, untilAllClosed, useWorld, type Buyer } from './support/server-world.ts';

/*
 * kill -9 while a film is being made that the buyer has paid for. Another process waits for the same job: the creator pays
 * for one film, the buyer for one call.
 */
const world = useWorld();

const orders = (): number =>
  world.current.simulator.control.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/videos'))
    .length;

test.each<[string, number, (buyer: Buyer) => Promise<unknown>]>([
  ['is waited for by another process, and not ordered again', 1, async () => {}],
  ['would be ordered again if nobody had noted its job', 2, forgetJob],
])('a film that a killed process has ordered %s', async (_what, expected, before) => {
  const { database, simulator } = world.current;
  const environment = { OPENROUTER_BASE_URL: simulator.url };
  simulator.control.reset();
  simulator.control.setLatency({ firstTokenMs: 3_600_000 });
  const first = await world.current.startServer(environment);
  const creator = await world.current.makeCreator(first, `ada${expected}`);
  const { url } = await creator.publish({
    slug: 'film',
    settlementPoint: 'upfront',
    priceUsdc: '2.2',
    timeoutSeconds: 120,
    config: { modelId: 'google/veo-3.1', systemPrompt: 'Film {topic}{/topic}.', video: { durationSeconds: 5 } },
  });
  const buyer = await world.current.makeBuyer(url, 'a lighthouse');
  void send(url, buyer);
  await expect.poll(() => findJob(buyer), { timeout: 20_000, interval: 20 }).not.toBe(null);
  await first.kill();
  await before(buyer);
  await world.current.buryTheDead();
  simulator.control.setLatency({ firstTokenMs: 0 });

  const second = await world.current.startServer(environment);
  await untilAllClosed(database);
  await expect.poll(() => stateOf(database, buyer), { timeout: 30_000, interval: 50 }).toMatch(/^(settled|delivered)$/);
  const answered = await send(url.replace(first.url, second.url), buyer);
  const video = { contentType: 'video/mp4' };
  expect(answered).toMatchObject({ status: 200, body: { video, receipt: { paidUsdc: '2.2' } } });
  expect(orders()).toBe(expected);
  expect(await world.current.audit(creator.payTo)).toEqual([]);
});

async function findJob({ account }: Buyer): Promise<unknown> {
  const { rows } = await world.current.database.system.query<{ checkpoint: unknown }>(
    'SELECT checkpoint FROM calls WHERE payer = $1',
    [account.address.toLowerCase()],
  );
  return rows[0]?.checkpoint ?? null;
}

async function forgetJob({ account }: Buyer): Promise<void> {
  await world.current.database.system.query('UPDATE calls SET checkpoint = NULL WHERE payer = $1', [
    account.address.toLowerCase(),
  ]);
}
