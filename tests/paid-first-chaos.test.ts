import { afterAll, beforeAll, expect, test } from 'vitest';
import { startToyServerChild } from './support/server-child.ts';
import { balanceOf, stateOf, untilAllClosed, useWorld, type Buyer, type World } from './support/server-world.ts';
import { startStreamSource, type StreamSource } from './support/stream-source.ts';

/*
 * kill -9 of calls that are paid before their answer is complete. Another process carries them on from what their rows
 * hold: whoever has paid gets an answer, whoever has not is not charged, and nobody pays twice.
 */
const world = useWorld();
let source: StreamSource;

beforeAll(async () => {
  source = await startStreamSource();
});
afterAll(() => source.close());

interface Point {
  name: string;
  path: 'stream' | 'prepaid';
  /** Resolves when the call of the buyer stands there. */
  stand(world: World, buyer: Buyer): Promise<void>;
  becomes: 'refused' | 'failed' | 'paid';
}

const points: Point[] = [
  { name: 'stream: before any output', path: 'stream', stand: atChunk(0), becomes: 'failed' },
  {
    name: 'stream: first output not noted',
    path: 'stream',
    stand: atMove('running', 'settling', 'before'),
    becomes: 'failed',
  },
  {
    name: 'stream: first output noted, reply lost',
    path: 'stream',
    stand: atMove('running', 'settling', 'after'),
    becomes: 'paid',
  },
  { name: 'stream: settlement not sent', path: 'stream', stand: atTransaction('before'), becomes: 'paid' },
  { name: 'stream: settlement sent, answer lost', path: 'stream', stand: atTransaction('after'), becomes: 'paid' },
  { name: 'stream: paid, in the middle of the answer', path: 'stream', stand: atChunk(2), becomes: 'paid' },
  {
    name: 'stream: whole, not stored',
    path: 'stream',
    stand: atMove('fulfilling', 'settled', 'before'),
    becomes: 'paid',
  },
  {
    name: 'stream: stored, reply lost',
    path: 'stream',
    stand: atMove('fulfilling', 'settled', 'after'),
    becomes: 'paid',
  },
  { name: 'prepaid: not charged', path: 'prepaid', stand: atMove('claimed', 'settling', 'before'), becomes: 'refused' },
  {
    name: 'prepaid: to be charged, reply lost',
    path: 'prepaid',
    stand: atMove('claimed', 'settling', 'after'),
    becomes: 'paid',
  },
  { name: 'prepaid: settlement not sent', path: 'prepaid', stand: atTransaction('before'), becomes: 'paid' },
  { name: 'prepaid: paid, not run', path: 'prepaid', stand: atChunk(0), becomes: 'paid' },
  { name: 'prepaid: paid, half run', path: 'prepaid', stand: atChunk(1), becomes: 'paid' },
  {
    name: 'prepaid: whole, not stored',
    path: 'prepaid',
    stand: atMove('fulfilling', 'settled', 'before'),
    becomes: 'paid',
  },
];

test('kill -9 at every point of a call that is paid first: another process finishes what was paid', async () => {
  const { database, gates } = world.current;
  const first = await world.current.startServer({}, startToyServerChild);
  const creator = await world.current.makeCreator(first, 'ada');
  const draft = { kind: 'toy_stream', config: { source: source.url } };
  await creator.publish({ ...draft, slug: 'stream', settlementPoint: 'at_first_output' });
  await creator.publish({ ...draft, slug: 'prepaid', settlementPoint: 'upfront' });
  const buyers = await Promise.all(
    points.map(({ name, path }) => world.current.makeBuyer(`${first.url}/@ada/${path}`, name)),
  );
  for (const [index, point] of points.entries()) {
    const buyer = buyers[index] as Buyer;
    const standing = point.stand(world.current, buyer);
    void buy(`${first.url}/@ada/${point.path}`, buyer);
    await standing;
  }
  await first.kill();
  gates.database.open();
  gates.rpc.open();
  source.release();
  await world.current.buryTheDead();

  const second = await world.current.startServer({}, startToyServerChild);
  await untilAllClosed(database);
  await untilNothingIsOwed();
  const became = await Promise.all(points.map(async ({ name }, index) => [name, await kindOf(buyers[index] as Buyer)]));
  expect(became).toEqual(points.map(({ name, becomes }) => [name, becomes]));
  expect(await world.current.audit(creator.payTo)).toEqual([]);

  await gates.rpc.deliverLate();
  const answers = await Promise.all(
    points.map(({ path }, index) => buy(`${second.url}/@ada/${path}`, buyers[index] as Buyer)),
  );
  expect(answers.filter((text) => !text.includes('one two three'))).toEqual([]);
  const balances = await Promise.all(buyers.map((buyer) => balanceOf(world.current, buyer)));
  expect(balances).toEqual(points.map(() => 9_990_000n));
  expect(await world.current.audit(creator.payTo)).toEqual([]);
});

/** The text of the answer, whatever its form; empty when the connection broke. */
async function buy(url: string, buyer: Buyer): Promise<string> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'PAYMENT-SIGNATURE': buyer.header },
      body: JSON.stringify({ topic: buyer.topic }),
    });
    const text = await response.text();
    const deltas = [...text.matchAll(/"text":"([^"]*)"/g)].map(([, delta]) => delta);
    return deltas.length > 0 ? deltas.join('') : text;
  } catch {
    return '';
  }
}

async function untilNothingIsOwed(): Promise<void> {
  const { system } = world.current.database;
  const select = `SELECT id, state FROM calls WHERE state = 'fulfilling' OR (state = 'owed' AND answer IS NULL)`;
  await expect.poll(async () => (await system.query(select)).rows, { timeout: 60_000, interval: 100 }).toEqual([]);
}

async function kindOf(buyer: Buyer): Promise<string> {
  const state = (await stateOf(world.current.database, buyer)) ?? 'nothing';
  return ['settled', 'delivered', 'owed'].includes(state) ? 'paid' : state;
}

function atChunk(index: number): Point['stand'] {
  return (_world, { topic }) => source.hold(topic, index);
}

function atMove(from: string, to: string, when: 'before' | 'after'): Point['stand'] {
  const bound = new RegExp(`calls_(?:transition|fulfil).*${from}[^a-z]+${to}[^a-z]`, 's');
  return ({ gates }) => gates.database.hold((message) => bound.test(message), when);
}

function atTransaction(when: 'before' | 'after'): Point['stand'] {
  return ({ gates }, { account }) => {
    const payer = account.address.slice(2).toLowerCase();
    return gates.rpc.hold((body) => body.includes('eth_sendRawTransaction') && body.includes(payer), when);
  };
}
