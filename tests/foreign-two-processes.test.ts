import { afterAll, beforeAll, expect, test } from 'vitest';
import { sendPayment } from './support/send-payment.ts';
import { startToyServerChild, type ServerChild } from './support/server-child.ts';
import { balanceOf, send, stateOf, useWorld, type Buyer } from './support/server-world.ts';
import { startStreamSource, type StreamSource } from './support/stream-source.ts';
import type { Creator } from './support/start-app.ts';

/* Payments that somebody else settles, with two live processes that are asked for them. */
const world = useWorld();
const servers: ServerChild[] = [];
let source: StreamSource;
let creator: Creator;

beforeAll(async () => {
  source = await startStreamSource();
  const start = () => world.current.startServer({}, startToyServerChild);
  servers.push(await start(), await start());
  creator = await world.current.makeCreator(servers[0] as ServerChild, 'ada');
  await creator.publish({ slug: 'stream', kind: 'toy_stream', config: { source: source.url } });
});
afterAll(() => source.close());

const urlOf = (index: number) => `${servers[index]?.url}/@ada/stream`;
const settleElsewhere = ({ header }: Buyer) => sendPayment(world.current.chain.current, header);

async function untilDelivered(buyers: readonly Buyer[]): Promise<void> {
  await expect
    .poll(() => Promise.all(buyers.map((buyer) => stateOf(world.current.database, buyer))), { timeout: 20_000 })
    .toEqual(buyers.map(() => 'delivered'));
  expect(await Promise.all(buyers.map((buyer) => balanceOf(world.current, buyer)))).toEqual(
    buyers.map(() => 9_990_000n),
  );
  expect(await world.current.audit(creator.payTo)).toEqual([]);
}

test('settled by others before both processes are asked at once: one run, one booking, the same answer everywhere', async () => {
  const buyers = await Promise.all(['a', 'b', 'c'].map((name) => world.current.makeBuyer(urlOf(0), `before ${name}`)));
  for (const buyer of buyers) {
    await settleElsewhere(buyer);
  }
  const answers = await Promise.all(buyers.flatMap((buyer) => [0, 1].map((index) => send(urlOf(index), buyer))));
  expect(answers.map((answer) => answer?.body['response'])).toEqual(answers.map(() => 'one two three'));
  expect(buyers.map(({ topic }) => source.countRuns(topic))).toEqual([1, 1, 1]);
  await untilDelivered(buyers);
});

test('settled by others while the run of one process fails: the other one gives the answer, without another charge', async () => {
  const buyer = await world.current.makeBuyer(urlOf(0), 'while it fails');
  source.script(buyer.topic, [{ fail: true }]);
  const held = source.hold(buyer.topic, 0);
  const asking = send(urlOf(0), buyer);
  await held;
  await settleElsewhere(buyer);
  source.release();
  expect(await asking).toMatchObject({ status: 503, body: { code: 'answer_owed', charged: true } });
  source.script(buyer.topic, [{ text: 'at last' }]);
  await expect.poll(async () => (await send(urlOf(1), buyer))?.body['response'], { timeout: 20_000 }).toBe('at last');
  expect(source.countRuns(buyer.topic)).toBe(2);
  await untilDelivered([buyer]);
});

test('settled by others while the process that runs it is killed: the same payment gets the answer from the other one', async () => {
  const buyer = await world.current.makeBuyer(urlOf(1), 'killed');
  const held = source.hold(buyer.topic, 0);
  const doomed = await world.current.startServer({}, startToyServerChild);
  const asking = send(`${doomed.url}/@ada/stream`, buyer);
  await held;
  await settleElsewhere(buyer);
  await doomed.kill();
  source.release();
  expect(await asking).toBeNull();
  await world.current.buryTheDead();
  await expect
    .poll(async () => (await send(urlOf(1), buyer))?.body['response'], { timeout: 40_000, interval: 100 })
    .toBe('one two three');
  await untilDelivered([buyer]);
});
