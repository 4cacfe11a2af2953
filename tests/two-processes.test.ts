import { beforeAll, expect, test } from 'vitest';
import type { ServerChild } from './support/server-child.ts';
import { send, stateOf, untilAllClosed, useWorld, type Buyer } from './support/server-world.ts';
import type { Creator } from './support/start-app.ts';

/* Two servers, processes of their own, on one PostgreSQL, with the same settings. */
const world = useWorld();
const servers: ServerChild[] = [];

beforeAll(async () => {
  servers.push(...(await Promise.all([world.current.startServer(), world.current.startServer()])));
});

function pair(): { one: ServerChild; other: ServerChild } {
  const [one, other] = servers;
  if (!one || !other) {
    throw new Error('unreachable');
  }
  return { one, other };
}

async function publishOn(
  server: ServerChild,
  username: string,
): Promise<{ creator: Creator; id: string; path: string }> {
  const creator = await world.current.makeCreator(server, username);
  const { id } = await creator.publish({ slug: 'essay' });
  return { creator, id, path: `/@${username}/essay` };
}

function countRuns(topic: string): number {
  return world.current.simulator.control.requests.filter(({ body }) => JSON.stringify(body)?.includes(topic)).length;
}

test('one payment sent 40 times to both runs once; everybody gets the answer or a clear 409', async () => {
  const { one, other } = pair();
  const { creator, path } = await publishOn(one, 'once');
  const buyer = await world.current.makeBuyer(one.url + path, 'forty at once');
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) => send((index % 2 ? one : other).url + path, buyer)),
  );
  expect(answers.filter((answer) => answer?.status !== 200 && answer?.status !== 409)).toEqual([]);
  const texts = new Set(
    answers.filter((answer) => answer?.status === 200).map((answer) => JSON.stringify(answer?.body)),
  );
  expect(texts.size).toBe(1);
  expect(countRuns('forty at once')).toBe(1);
  expect(await world.current.audit(creator.payTo)).toEqual([]);
});

test('both settle at the same time with the same settler keys', async () => {
  const { one, other } = pair();
  const { creator, path } = await publishOn(one, 'both');
  const buyers: Buyer[] = [];
  for (let index = 0; index < 16; index += 1) {
    buyers.push(await world.current.makeBuyer(one.url + path, `both ${index}`));
  }
  const answers = await Promise.all(buyers.map((buyer, index) => send((index % 2 ? one : other).url + path, buyer)));
  expect(answers.filter((answer) => answer?.status !== 200)).toEqual([]);
  expect(await world.current.audit(creator.payTo)).toEqual([]);
  expect(await world.current.chain.current.balanceAtomic(creator.payTo)).toBe(160_000n);
});

async function offeredAmount(server: ServerChild, path: string): Promise<string | number> {
  const response = await fetch(server.url + path, { method: 'POST' });
  const body = (await response.json()) as { accepts?: { maxAmountRequired: string }[] };
  return body.accepts?.[0]?.maxAmountRequired ?? response.status;
}

test('a price published on one is asked by the other', async () => {
  const { one, other } = pair();
  const { creator, id, path } = await publishOn(one, 'price');
  expect(await offeredAmount(other, path)).toBe('10000');
  await creator.call('PATCH', `/api/resources/${id}`, { priceUsdc: '0.25' });
  const published = await creator.call('POST', `/api/resources/${id}/publish`, {});
  expect(published.status).toBe(200);
  await expect.poll(() => offeredAmount(other, path)).toBe('250000');
});

test('a key deleted on one pauses the resource on the other, and a new key resumes it', async () => {
  const { one, other } = pair();
  const { creator, path } = await publishOn(one, 'keyless');
  const before = await world.current.makeBuyer(one.url + path, 'with the key');
  expect(await send(other.url + path, before)).toMatchObject({ status: 200 });
  const deleted = await creator.call('DELETE', '/api/user/integrations/openrouter');
  expect(deleted.status).toBeLessThan(300);
  await expect.poll(() => offeredAmount(other, path)).toBe(503);
  const apiKey = world.current.simulator.keys.healthy;
  await creator.call('PUT', '/api/user/integrations/openrouter', { apiKey });
  await expect.poll(() => offeredAmount(other, path)).toBe('10000');
  const after = await world.current.makeBuyer(one.url + path, 'with a new key');
  expect(await send(other.url + path, after)).toMatchObject({ status: 200 });
});

test('the survivor ends the calls of a killed process and answers its buyers', async () => {
  const { database, gates } = world.current;
  const { one: survivor } = pair();
  const { creator, path } = await publishOn(survivor, 'heir');
  const victim = await world.current.startServer();
  const running = await world.current.makeBuyer(victim.url + path, 'running when killed');
  const settling = await world.current.makeBuyer(victim.url + path, 'settling when killed');
  const atModel = gates.upstream.hold((body) => body.includes(running.topic), 'before');
  const address = settling.account.address.slice(2).toLowerCase();
  const atChain = gates.rpc.hold((body) => body.includes('eth_sendRawTransaction') && body.includes(address), 'after');
  const broken = Promise.all([send(victim.url + path, running), send(victim.url + path, settling)]);
  await Promise.all([atModel, atChain]);
  await victim.kill();
  gates.upstream.open();
  gates.rpc.open();
  expect(await broken).toEqual([null, null]);
  await world.current.buryTheDead();
  await untilAllClosed(database);
  expect(await stateOf(database, running)).toBe('failed');
  expect(await stateOf(database, settling)).toMatch(/settled|owed/);
  const answers = await Promise.all([running, settling].map((buyer) => send(survivor.url + path, buyer)));
  expect(answers).toMatchObject([{ status: 200 }, { status: 200 }]);
  expect(countRuns(settling.topic)).toBe(1);
  expect(await world.current.audit(creator.payTo)).toEqual([]);
});

async function readiness(server: ServerChild): Promise<unknown> {
  const response = await fetch(`${server.url}/readyz`);
  const { checks, detail } = (await response.json()) as { checks: unknown; detail?: string };
  return { status: response.status, checks, ...(detail === undefined ? {} : { detail }) };
}

test.each([
  ['rpc', 'settler'],
  ['upstream', 'upstream'],
  ['database', 'database'],
] as const)('without its %s a server is alive and not ready, and says why', async (gate, check) => {
  const server = await world.current.startServer();
  const all = { database: true, settler: true, upstream: true };
  expect(await readiness(server)).toEqual({ status: 200, checks: all });
  world.current.gates[gate].setDown(true);
  try {
    const failing = { status: 503, checks: { ...all, [check]: false }, detail: `Not ready: ${check}.` };
    await expect.poll(() => readiness(server), { timeout: 15_000 }).toEqual(failing);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  } finally {
    world.current.gates[gate].setDown(false);
  }
  await expect.poll(() => readiness(server), { timeout: 15_000 }).toEqual({ status: 200, checks: all });
  expect(await server.stop()).toBe(0);
});
