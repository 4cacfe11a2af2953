import { afterAll, beforeAll, expect, test } from 'vitest';
import { listNames, openEvents, toText } from './support/open-events.ts';
import { startToyServerChild, type ServerChild } from './support/server-child.ts';
import { balanceOf, stateOf, useWorld } from './support/server-world.ts';
import { startStreamSource, type StreamSource } from './support/stream-source.ts';

/* A stream that one process makes and another one passes on; and one whose process is killed in the middle. */
const world = useWorld();
let source: StreamSource;
let [one, other]: ServerChild[] = [];
let payTo: string;

beforeAll(async () => {
  source = await startStreamSource();
  const start = () => world.current.startServer({}, startToyServerChild);
  [one, other] = [await start(), await start()];
  const creator = await world.current.makeCreator(one, 'ada');
  const draft = { slug: 'stream', kind: 'toy_stream', settlementPoint: 'at_first_output' };
  await creator.publish({ ...draft, config: { source: source.url } });
  ({ payTo } = creator);
});
afterAll(() => source.close());

const urlOf = (server: ServerChild | undefined) => `${server?.url}/@ada/stream`;

test('a running stream goes on in another process, from where its reader stands, and ends there', async () => {
  const topic = 'elsewhere';
  const buyer = await world.current.makeBuyer(urlOf(one), topic);
  const asked = { payment: buyer.header, topic };
  const held = source.hold(topic, 2);
  const first = await openEvents(urlOf(one), asked);
  await held;
  const whole = await openEvents(urlOf(other), asked);
  const behind = await openEvents(urlOf(other), { ...asked, headers: { 'Last-Event-ID': '1-3' } });
  // What has come so far comes before the run goes on.
  expect(toText(await behind.until('delta'))).toBe(' two ');
  expect(toText(await whole.until('delta'))).toBe('one two ');
  first.leave();
  source.release();
  for (const stream of [whole, behind]) {
    const rest = await stream.rest();
    expect(toText(rest)).toBe('three');
    expect(listNames(rest)).toEqual(['delta', 'usage', 'receipt', 'done']);
  }
  await expect.poll(() => stateOf(world.current.database, buyer), { timeout: 20_000 }).toBe('delivered');
  expect(source.countRuns(topic)).toBe(1);
  const { rows } = await world.current.database.system.query('SELECT * FROM call_stream_parts');
  expect(rows).toEqual([]);
});

test('kill -9 in the middle: the same payment gets a whole answer from another process, and pays nothing more', async () => {
  const topic = 'killed';
  const dying = await world.current.startServer({}, startToyServerChild);
  const buyer = await world.current.makeBuyer(urlOf(dying), topic);
  const asked = { payment: buyer.header, topic };
  const held = source.hold(topic, 2);
  const first = await openEvents(urlOf(dying), asked);
  await held;
  const following = await openEvents(urlOf(other), asked);
  expect(toText(await following.until('delta'))).toBe('one two ');
  const read = await first.until('delta');
  await dying.kill();
  await expect(first.rest()).rejects.toThrow('terminated');
  source.script(topic, [{ text: 'made ' }, { text: 'anew' }]);
  await world.current.buryTheDead();
  // Whoever follows it already meets the new run on the same connection; whoever lost it takes it up again.
  const rest = await following.rest();
  const again = await (
    await openEvents(urlOf(other), { ...asked, headers: { 'Last-Event-ID': read.at(-1)?.id ?? '' } })
  ).rest();
  for (const stream of [rest, again]) {
    expect(stream.find(({ event }) => event === 'meta')).toMatchObject({ id: '2-0', data: { run: 2 } });
    expect([toText(stream), stream.at(-1)?.event]).toEqual(['made anew', 'done']);
  }
  await expect.poll(() => stateOf(world.current.database, buyer), { timeout: 20_000 }).toBe('delivered');
  expect(source.countRuns(topic)).toBe(2);
  expect(await balanceOf(world.current, buyer)).toBe(9_990_000n);
  expect(await world.current.audit(payTo)).toEqual([]);
});
