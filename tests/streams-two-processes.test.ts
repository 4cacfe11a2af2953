import { afterAll, beforeAll, expect, test } from 'vitest';
import { findFreePort } from './support/free-port.ts';
import { listNames, openEvents, toText } from './support/open-events.ts';
import { send, type Answered } from './support/paid-request.ts';
import { encodeHeader, makeAccount } from './support/pay.ts';
import { startToyServerChild, type ServerChild } from './support/server-child.ts';
import { balanceOf, stateOf, useWorld } from './support/server-world.ts';
import { signIn } from './support/sign-in.ts';
import { rebuildPayment } from './support/stranger.ts';
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

test('a stream is taken up by the wallet that paid, signed in at another process, while it runs and once its maker is dead; another wallet learns nothing', async () => {
  const { database, chain } = world.current;
  const topic = 'signed in';
  const port = String(await findFreePort());
  const maker = await world.current.startServer({}, startToyServerChild);
  // What is signed names the origin that both of them serve.
  await world.current.startServer({ PORT: port, PUBLIC_URL: maker.url }, startToyServerChild);
  const there = `http://127.0.0.1:${port}/@ada/stream`;
  const buyer = await world.current.makeBuyer(urlOf(maker), topic);
  source.script(topic, [{ text: 'amber ' }, { text: 'basalt ' }, { text: 'cobalt' }]);
  const held = source.hold(topic, 2);
  const first = await openEvents(urlOf(maker), { payment: buyer.header, topic });
  await held;
  await first.until('delta');
  // Behind the first piece, in however many the reader has got them.
  const place = { 'Last-Event-ID': '1-6' };
  first.leave();

  // Of the payment there is only what everybody reads from the chain.
  const { v2: payment } = await rebuildPayment(chain.current, buyer.account.address);
  const ask = (headers: Record<string, string>) => openEvents(there, { payment, topic, headers });
  const refuse = (signed: Record<string, string> = {}) =>
    send(there, { payment, body: { topic }, headers: { Accept: 'text/event-stream', ...place, ...signed } });
  const unsigned = await refuse();
  const stranger = await signIn(unsigned, makeAccount());
  const claim = JSON.parse(Buffer.from(stranger, 'base64').toString()) as object;
  const lied = encodeHeader({ ...claim, address: buyer.account.address });
  const expectNothing = async () => {
    for (const refused of [
      await refuse(),
      await refuse({ 'SIGN-IN-WITH-X': stranger }),
      await refuse({ 'SIGN-IN-WITH-X': lied }),
    ]) {
      expect(refused).toMatchObject({ status: 403, body: { code: 'buyer_unproven', charged: true } });
      // Neither the wallet nor the state of the stream changes a word.
      expect(toTold(refused)).toEqual(toTold(unsigned));
      expect(JSON.stringify(refused.body)).not.toMatch(/amber|basalt|cobalt|callId|receipt|answerToken/);
      expect(
        ['X-Farebox-Answer-Token', 'PAYMENT-RESPONSE', 'PAYMENT-REQUIRED'].filter((name) => refused.headers.has(name)),
      ).toEqual([]);
    }
  };
  await expectNothing();

  const wallet = { ...place, 'SIGN-IN-WITH-X': await signIn(unsigned, buyer.account) };
  const running = await ask(wallet);
  expect(toText(await running.until('delta'))).toBe('basalt ');
  source.release();
  const rest = await running.rest();
  expect([toText(rest), ...listNames(rest)]).toEqual(['cobalt', 'delta', 'usage', 'receipt', 'done']);
  await expect.poll(() => stateOf(database, buyer), { timeout: 20_000 }).toBe('delivered');
  await maker.kill();
  await expectNothing();
  const kept = await (await ask(wallet)).rest();
  expect([toText(kept), ...listNames(kept)]).toEqual(['basalt cobalt', 'delta', 'usage', 'receipt', 'done']);
  expect(kept.at(-1)).toEqual(rest.at(-1));
  expect(source.countRuns(topic)).toBe(1);
  expect(await balanceOf(world.current, buyer)).toBe(9_990_000n);
});

/** All that a refusal says but what is new in each. */
function toTold({ status, body }: Answered): object {
  const extensions = JSON.stringify(body['extensions']).replaceAll(/\d{4}-\d\d-\d\dT[^"]+/g, 'a time');
  return { status, body: { ...body, requestId: null, extensions } };
}
