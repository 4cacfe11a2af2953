import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEvents, toText } from './support/open-events.ts';
import { toPoem } from './support/scripted-drafts.ts';
import { delta, startScriptedUpstream, type ScriptedUpstream } from './support/scripted-upstream.ts';
import type { ServerChild } from './support/server-child.ts';
import { balanceOf, send, stateOf, untilAllClosed, useWorld, type Buyer } from './support/server-world.ts';
import { ended } from './support/stream-world.ts';

/* A server is told to stop while many paid streams are open: none of them is charged and not to be had. */
const world = useWorld();
const PRICE = 10_000n;

/** Where a stream stands when the server is told to stop: before its first output or after it, read or left. */
const places = ['early', 'early left', 'begun', 'begun left'] as const;
type Place = (typeof places)[number];

let upstream: ScriptedUpstream;
const runs = new Map<string, number>();
const standing = new Set<string>();
let gate: PromiseWithResolvers<void>;

beforeAll(async () => {
  upstream = await startScriptedUpstream();
  upstream.script(async (response, { body }) => {
    const [topic = ''] = /topic-[a-z0-9-]+/.exec(body) ?? [];
    runs.set(topic, (runs.get(topic) ?? 0) + 1);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    const isEarly = topic.includes('early');
    if (!isEarly) {
      response.write(delta('one '));
    }
    standing.add(topic);
    await gate.promise;
    response.end([...(isEarly ? [delta('one ')] : []), delta('two'), ...ended].join(''));
  });
});
afterAll(() => upstream.close());

const startServer = () => world.current.startServer({ UPSTREAM_ORIGINS: upstream.url });

async function publish(server: ServerChild, username: string, fields: Record<string, unknown> = {}) {
  const creator = await world.current.makeCreator(server, username);
  await creator.call('PUT', '/api/user/trust', { maxTrustUsdPerDay: '1000' });
  const { url } = await creator.publish({
    slug: 'poem',
    ...toPoem(upstream.url),
    ...fields,
  });
  return { creator, url };
}

interface Stream {
  place: Place;
  buyer: Buyer;
  /** What its buyer reads from the stop on. */
  reading: Promise<{ status: number; text: string; last: string | undefined; code: unknown }>;
}

const from = ({ account }: Buyer) => ({
  'X-Forwarded-For': `2001:db8:${account.address.slice(2, 6)}:${account.address.slice(6, 10)}::1`,
});

/** As many paid streams as told of each place, each where it is to stand. */
async function openStreams(url: string, { name, each }: { name: string; each: number }): Promise<Stream[]> {
  gate = Promise.withResolvers();
  const asked = places.flatMap((place) => Array.from({ length: each }, (_, index) => ({ place, index })));
  const streams = await Promise.all(
    asked.map(({ place, index }) =>
      openStream(url, { place, topic: `topic-${name}-${place.replace(' ', '-')}-${index}` }),
    ),
  );
  return streams;
}

async function openStream(url: string, { place, topic }: { place: Place; topic: string }): Promise<Stream> {
  const buyer = await world.current.makeBuyer(url, topic);
  const [leaving, begun] = [new AbortController(), Promise.withResolvers<void>()];
  const opening = openEvents(url, {
    payment: buyer.header,
    topic,
    headers: from(buyer),
    fetch: (input, init) => fetch(input, { ...init, signal: leaving.signal }),
  });
  const reading = opening.then(async ({ response, rest, until }) => {
    const begin = place.startsWith('begun') ? await until('delta') : [];
    begun.resolve();
    const events = response.ok ? [...begin, ...(await rest())] : [];
    return {
      status: response.status,
      text: toText(events),
      last: events.at(-1)?.event,
      code: events.at(-1)?.data['code'],
    };
  });

  reading.catch(() => {});
  await expect.poll(() => standing.has(topic), { timeout: 30_000, interval: 20 }).toBe(true);
  if (place.startsWith('begun')) {
    await begun.promise;
  }
  if (place.endsWith('left')) {
    leaving.abort();
  }
  return { place, buyer, reading };
}

const spent = async (buyer: Buyer) => 10_000_000n - (await balanceOf(world.current, buyer));
const runsOf = ({ buyer }: Stream) => runs.get(buyer.topic);

/** The whole answer of the same payment, for the price, once. */
async function expectToBeHad(url: string, { buyer }: Stream): Promise<void> {
  const again = await openEvents(url, { payment: buyer.header, topic: buyer.topic, headers: from(buyer) });
  const read = await again.rest();
  expect([buyer.topic, toText(read), read.at(-1)?.event]).toEqual([buyer.topic, 'one two', 'done']);
  expect(await spent(buyer)).toBe(PRICE);
}

async function untilItListensNoMore(server: ServerChild): Promise<void> {
  const answers = () =>
    fetch(`${server.url}/healthz`, { headers: { Connection: 'close' } }).then(
      () => true,
      () => false,
    );
  await expect.poll(answers, { timeout: 10_000, interval: 20 }).toBe(false);
}

/** As if what is owed had waited for long enough. */
const letTimePass = () =>
  world.current.database.system.query(
    `UPDATE calls SET updated_at = updated_at - interval '1 hour' WHERE state = 'owed'`,
  );

describe('an interrupted stream', () => {
  test('The process is told to stop', { timeout: 60_000 }, async () => {
    const server = await startServer();
    const { creator, url } = await publish(server, 'ada');
    const streams = await openStreams(url, { name: 'once', each: 50 });
    const late = await world.current.makeBuyer(url, 'too late');
    server.terminate();
    await untilItListensNoMore(server);
    expect(await send(url, late)).toBeNull();
    gate.resolve();
    expect(await server.ended()).toBe(0);
    for (const stream of streams.filter(({ place }) => !place.endsWith('left'))) {
      expect(await stream.reading).toMatchObject({ status: 200, text: 'one two', last: 'done' });
    }
    for (const { place, buyer } of streams) {
      const isFree = place === 'early left';
      expect([place, await spent(buyer)]).toEqual([place, isFree ? 0n : PRICE]);
      expect(await stateOf(world.current.database, buyer)).toMatch(isFree ? /^failed$/ : /^(settled|delivered)$/);
    }
    expect(await spent(late)).toBe(0n);
    expect(await world.current.audit(creator.payTo)).toEqual([]);

    const next = await startServer();
    const there = url.replace(server.url, next.url);
    await Promise.all(streams.map((stream) => expectToBeHad(there, stream)));
    const expected = streams.map(({ place }) => (place === 'early left' ? 2 : 1));
    expect(streams.map(runsOf)).toEqual(expected);
    expect(await world.current.audit(creator.payTo)).toEqual([]);
  });

  test('The process is told to stop again before its streams have ended', { timeout: 60_000 }, async () => {
    const [server, other] = await Promise.all([startServer(), startServer()]);
    const { creator, url } = await publish(server, 'eve');
    const streams = await openStreams(url, { name: 'twice', each: 3 });
    const exited = server.ended();
    let isEnded = false;
    void exited.then(() => (isEnded = true));
    // The first of these that comes late enough is taken for a second one.
    const tellAgain = () => (isEnded || server.terminate(), isEnded);
    await expect.poll(tellAgain, { timeout: 20_000, interval: 100 }).toBe(true);
    expect(await exited).toBe(1);
    gate.resolve();
    await world.current.buryTheDead();
    await untilAllClosed(world.current.database);
    await letTimePass();
    for (const { place, buyer } of streams) {
      expect([place, await spent(buyer)]).toEqual([place, place.startsWith('early') ? 0n : PRICE]);
    }
    await Promise.all(streams.map((stream) => expectToBeHad(url.replace(server.url, other.url), stream)));
    expect(await world.current.audit(creator.payTo)).toEqual([]);
  });

  test('The process is told to stop and the upstream does not end', { timeout: 60_000 }, async () => {
    const server = await startServer();
    const { creator, url } = await publish(server, 'joe', { timeoutSeconds: 5 });
    const streams = await openStreams(url, { name: 'endless', each: 3 });
    expect(await server.stop()).toBe(0);
    const told = { early: { status: 504 }, begun: { text: 'one ', code: 'answer_owed' } };
    for (const { place, reading } of streams.filter((one) => !one.place.endsWith('left'))) {
      expect(await reading).toMatchObject(place === 'early' ? told.early : told.begun);
    }
    for (const { place, buyer } of streams) {
      expect([place, await spent(buyer)]).toEqual([place, place.startsWith('early') ? 0n : PRICE]);
    }
    gate.resolve();
    await letTimePass();
    const next = await startServer();
    await Promise.all(streams.map((stream) => expectToBeHad(url.replace(server.url, next.url), stream)));
    expect(await world.current.audit(creator.payTo)).toEqual([]);
  });
});
