import { afterAll, beforeAll, expect, test } from 'vitest';
import { startToyServerChild, type ServerChild } from './support/server-child.ts';
import { balanceOf, send, stateOf, useWorld } from './support/server-world.ts';
import { startStreamSource, type StreamSource } from './support/stream-source.ts';

/* A call that is owed, and two live processes that would both run it again. */
const world = useWorld();
const servers: ServerChild[] = [];
let source: StreamSource;

beforeAll(async () => {
  source = await startStreamSource();
  const start = () => world.current.startServer({}, startToyServerChild);
  servers.push(await start(), await start());
});
afterAll(() => source.close());

test('an owed call that both processes are asked for at once runs once more, and is charged once', async () => {
  const [one, other] = servers.map(({ url }) => url) as [string, string];
  const creator = await world.current.makeCreator(servers[0] as ServerChild, 'ada');
  const config = { source: source.url };
  await creator.publish({ slug: 'prepaid', kind: 'toy_stream', settlementPoint: 'upfront', config });
  const topics = Array.from({ length: 6 }, (_, index) => `owed ${index}`);
  const buyers = await Promise.all(topics.map((topic) => world.current.makeBuyer(`${one}/@ada/prepaid`, topic)));
  topics.forEach((topic) => source.script(topic, [{ fail: true }]));
  const failed = await Promise.all(buyers.map((buyer) => send(`${one}/@ada/prepaid`, buyer)));
  expect(failed).toMatchObject(buyers.map(() => ({ status: 503, body: { code: 'answer_owed', charged: true } })));
  topics.forEach((topic) => source.script(topic, [{ text: 'at last' }]));

  const askBoth = async () => {
    const asked = buyers.flatMap((buyer) => [one, other].map((url) => send(`${url}/@ada/prepaid`, buyer)));
    return (await Promise.all(asked)).map((answer) => answer?.body['response']);
  };
  await expect.poll(askBoth, { timeout: 60_000, interval: 100 }).toEqual(buyers.flatMap(() => ['at last', 'at last']));
  expect(topics.map((topic) => source.countRuns(topic))).toEqual(topics.map(() => 2));
  expect(await Promise.all(buyers.map((buyer) => balanceOf(world.current, buyer)))).toEqual(
    topics.map(() => 9_990_000n),
  );
  await expect
    .poll(() => Promise.all(buyers.map((buyer) => stateOf(world.current.database, buyer))), { timeout: 10_000 })
    .toEqual(topics.map(() => 'delivered'));
  expect(await world.current.audit(creator.payTo)).toEqual([]);
});
