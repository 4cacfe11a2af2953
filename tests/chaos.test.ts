import { keccak256, type Hex } from 'viem';
import { expect, test } from 'vitest';
import type { When } from './support/http-gate.ts';
import type { ServerChild } from './support/server-child.ts';
import { balanceOf, send, stateOf, untilAllClosed, useWorld, type Buyer, type World } from './support/server-world.ts';

const world = useWorld();

/*
 * kill -9 at any point of the paid call. Each point is a place where the server stands still because something outside of
 * it is held: a statement, a question to the chain, the model. One kill strikes calls that stand at all of them at once.
 */
interface Point {
  /** Where the call stands when the process dies. */
  name: string;
  stand(world: World, buyer: Buyer): Promise<void>;
  /** What the next process makes of it. */
  becomes: 'refused' | 'failed' | 'paid';
}

const points: Point[] = [
  { name: 'claim: reply lost', stand: atStatement('calls_claim', 'after'), becomes: 'refused' },
  { name: 'verified: not noted', stand: atMove('claimed', 'running', 'before'), becomes: 'refused' },
  { name: 'verified: reply lost', stand: atMove('claimed', 'running', 'after'), becomes: 'failed' },
  { name: 'model asked', stand: atModel('before'), becomes: 'failed' },
  { name: 'model answered, nobody heard', stand: atModel('after'), becomes: 'failed' },
  { name: 'answer not stored', stand: atMove('running', 'settling', 'before'), becomes: 'failed' },
  { name: 'answer stored: reply lost', stand: atMove('running', 'settling', 'after'), becomes: 'paid' },
  { name: 'settlement not sent', stand: atTransaction('before'), becomes: 'paid' },
  { name: 'settlement sent: answer lost', stand: atTransaction('after'), becomes: 'paid' },
  { name: 'settlement sent: receipt not seen', stand: atReceipt, becomes: 'paid' },
  { name: 'settled: not committed', stand: atCommit('before'), becomes: 'paid' },
  { name: 'settled: not answered', stand: atCommit('after'), becomes: 'paid' },
  { name: 'answered: delivery not noted', stand: atMove('settled', 'delivered', 'before'), becomes: 'paid' },
  // Last, because a question to the chain waits for a few seconds only.
  { name: 'verifying', stand: atVerification, becomes: 'refused' },
];

test('kill -9 at every point: each call ends, and the same payment buys one answer', async () => {
  const { database, gates } = world.current;
  const first = await world.current.startServer();
  const creator = await world.current.makeCreator(first, 'ada');
  await creator.publish({ slug: 'essay' });
  const path = '/@ada/essay';
  const buyers = await Promise.all(points.map(({ name }) => world.current.makeBuyer(first.url + path, name)));
  for (const [index, point] of points.entries()) {
    await standAt(point, buyerAt(buyers, index), first.url + path);
  }
  await first.kill();
  gates.database.open();
  gates.rpc.open();
  gates.upstream.open();
  await world.current.buryTheDead();

  const second = await world.current.startServer();
  await untilAllClosed(database);
  const became = await Promise.all(
    points.map(async ({ name }, index) => [name, await kindOf(database, buyerAt(buyers, index))]),
  );
  expect(became).toEqual(points.map(({ name, becomes }) => [name, becomes]));
  expect(await world.current.audit(creator.payTo)).toEqual([]);

  // Requests of the killed process that were still on their way arrive now; they must move nothing a second time.
  await gates.rpc.deliverLate();
  await expectOneAnswerEach(second, path, buyers);
  expect(await world.current.audit(creator.payTo)).toEqual([]);
});

test('kill -9 under load at any moment: nothing is charged twice or for nothing', async () => {
  const { database, gates } = world.current;
  const random = seeded(402);
  let server = await world.current.startServer();
  const creator = await world.current.makeCreator(server, 'bob');
  await creator.publish({ slug: 'essay' });
  const path = '/@bob/essay';
  const everybody: Buyer[] = [];
  for (let round = 1; round <= 4; round += 1) {
    const buyers: Buyer[] = [];
    for (let index = 0; index < 12; index += 1) {
      buyers.push(await world.current.makeBuyer(server.url + path, `round ${round} buyer ${index}`));
    }
    everybody.push(...buyers);
    const victim = server;
    const killed = new Promise<void>((resolve) => {
      gates.database.afterMessages(10 + Math.floor(random() * 130), () => void victim.kill().then(resolve));
    });
    await Promise.all([killed, ...buyers.map((buyer) => send(victim.url + path, buyer))]);
    await world.current.buryTheDead();
    server = await world.current.startServer();
  }
  await untilAllClosed(database);
  expect(await world.current.audit(creator.payTo)).toEqual([]);
  await expectOneAnswerEach(server, path, everybody);
  expect(await world.current.audit(creator.payTo)).toEqual([]);
});

function buyerAt(buyers: readonly Buyer[], index: number): Buyer {
  const buyer = buyers[index];
  if (!buyer) {
    throw new Error('unreachable');
  }
  return buyer;
}

async function standAt(point: Point, buyer: Buyer, url: string): Promise<void> {
  const standing = point.stand(world.current, buyer).then(() => null);
  const answered = send(url, buyer);
  const isAnsweredFirst = point.name.startsWith('answered');
  const early = isAnsweredFirst ? null : await Promise.race([standing, answered]);
  if (early !== null) {
    throw new Error(`"${point.name}" was not reached: ${JSON.stringify(early)}`);
  }
  await standing;
}

async function kindOf(database: World['database'], buyer: Buyer): Promise<string> {
  const state = (await stateOf(database, buyer)) ?? 'nothing';
  return ['settled', 'delivered', 'owed'].includes(state) ? 'paid' : state;
}

/** Whoever sends the same payment again gets the answer to their own request, and has paid for one. */
async function expectOneAnswerEach(server: ServerChild, path: string, buyers: readonly Buyer[]): Promise<void> {
  const answers = await Promise.all(buyers.map((buyer) => send(server.url + path, buyer)));
  expect(answers.filter((answer) => answer?.status !== 200)).toEqual([]);
  const payers = answers.map((answer) => (answer?.body['receipt'] as { payer?: string } | undefined)?.payer);
  expect(payers).toEqual(buyers.map(({ account }) => account.address.toLowerCase()));
  const balances = await Promise.all(buyers.map((buyer) => balanceOf(world.current, buyer)));
  expect(balances).toEqual(buyers.map(() => 9_990_000n));
}

function atStatement(name: string, when: When): Point['stand'] {
  return ({ gates }) => gates.database.hold((message) => message.includes(name), when);
}

function atMove(from: string, to: string, when: When): Point['stand'] {
  const bound = new RegExp(`calls_transition.*${from}[^a-z]+${to}[^a-z]`, 's');
  return ({ gates }) => gates.database.hold((message) => bound.test(message), when);
}

function atCommit(when: When): Point['stand'] {
  return ({ gates }) =>
    gates.database.hold((message, before) => message.includes('COMMIT') && before.includes('ledger_record'), when);
}

function atModel(when: When): Point['stand'] {
  return ({ gates }, { topic }) => gates.upstream.hold((body) => body.includes(`about ${topic}.`), when);
}

function atVerification({ gates }: World, buyer: Buyer): Promise<void> {
  return gates.rpc.hold((body) => body.includes('eth_call') && body.includes(inData(buyer)), 'before');
}

function atTransaction(when: When): Point['stand'] {
  return ({ gates }, buyer) =>
    gates.rpc.hold((body) => body.includes('eth_sendRawTransaction') && body.includes(inData(buyer)), when);
}

function atReceipt({ gates }: World, buyer: Buyer): Promise<void> {
  let hash = 'not sent yet';
  const matches = (body: string): boolean => {
    const raw = body.includes(inData(buyer)) ? /eth_sendRawTransaction.*?(0x[0-9a-f]+)/s.exec(body)?.[1] : undefined;
    hash = raw ? keccak256(raw as Hex) : hash;
    return body.includes(hash);
  };
  return gates.rpc.hold(matches, 'after');
}

function inData({ account }: Buyer): string {
  return account.address.slice(2).toLowerCase();
}

/** mulberry32: the same rounds in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
