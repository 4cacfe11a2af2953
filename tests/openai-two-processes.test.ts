import { decodePaymentRequiredHeader } from '@x402/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeKey } from './support/make-key.ts';
import { send, signFor } from './support/paid-request.ts';
import { startToyServerChild, type ServerChild } from './support/server-child.ts';
import { stateOf, useWorld, type Buyer } from './support/server-world.ts';
import type { Creator } from './support/start-app.ts';
import { startStreamSource, type StreamSource } from './support/stream-source.ts';

/* Clients of OpenAI whose requests come to two servers, processes of their own. */
const world = useWorld();
let source: StreamSource;
let one: ServerChild;
let other: ServerChild;
let creator: Creator;

beforeAll(async () => {
  source = await startStreamSource();
  const start = () => world.current.startServer({}, startToyServerChild);
  [one, other] = await Promise.all([start(), start()]);
  creator = await world.current.makeCreator(one, 'ada');
  const config = { source: source.url };
  await creator.publish({ slug: 'bits', kind: 'toy_stream', settlementPoint: 'at_first_output', config });
});
afterAll(() => source.close());

const door = '/v1/chat/completions';
const asked = (content: string) => ({ model: 'ada/bits', messages: [{ role: 'user', content }], stream: true });

/** A wallet, and its payment for the body as the door of the first server asks for it. */
async function makeBuyer(body: object): Promise<Buyer> {
  const buyer = await world.current.makeBuyer(`${one.url}/@ada/bits`, 'x');
  const { headers } = await send(`${one.url}${door}`, { body });
  const required = decodePaymentRequiredHeader(headers.get('PAYMENT-REQUIRED') ?? '');
  return { ...buyer, header: await signFor(buyer.account, required) };
}

/** What comes of a stream, text by text, until it ends or as much of it as is wanted has come. */
async function open(server: ServerChild, body: object, { header }: Buyer) {
  const gone = new AbortController();
  const response = await fetch(`${server.url}${door}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'PAYMENT-SIGNATURE': header },
    body: JSON.stringify(body),
    signal: gone.signal,
  });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let raw = '';
  const readText = () =>
    [...raw.matchAll(/^data: (\{.*\})$/gm)]
      .map(([, json]) => JSON.parse(json ?? '') as { id: string; choices: { delta: { content?: string } }[] })
      .map(({ choices }) => choices[0]?.delta.content ?? '')
      .join('');
  const next = async (): Promise<boolean> => {
    const { done, value } = await reader.read();
    raw += decoder.decode(value, { stream: true });
    return !done;
  };
  return {
    status: response.status,
    until: async (text: string) => {
      while (readText() !== text && (await next()));
      return readText();
    },
    rest: async () => {
      while (await next());
      return { text: readText(), isWhole: raw.endsWith('data: [DONE]\n\n'), id: /"id":"([^"]+)"/.exec(raw)?.[1] };
    },
    leave: () => gone.abort(),
  };
}

const spentBy = async ({ account }: Buyer) =>
  10_000_000n - (await world.current.chain.current.balanceAtomic(account.address));

test('a stream that one server has begun is taken up at the other by the same payment, and is one call', async () => {
  const body = asked('elsewhere');
  const buyer = await makeBuyer(body);
  const held = source.hold('elsewhere', 2);
  const first = await open(one, body, buyer);
  await held;
  expect(await first.until('one two ')).toBe('one two ');
  const second = await open(other, body, buyer);
  expect([second.status, await second.until('one two ')]).toEqual([200, 'one two ']);
  first.leave();
  source.release();
  const taken = await second.rest();
  expect(taken).toMatchObject({ text: 'one two three', isWhole: true });
  await expect.poll(() => stateOf(world.current.database, buyer), { timeout: 20_000 }).toBe('delivered');
  // Kept, and the same again at both.
  for (const server of [one, other]) {
    expect(await (await open(server, body, buyer)).rest()).toEqual(taken);
  }
  expect(source.countRuns('elsewhere')).toBe(1);
  expect(await spentBy(buyer)).toBe(10_000n);
});

test('one payment sent to the doors of both at once buys one answer; for another message it buys none', async () => {
  const body = { ...asked('both doors'), stream: false };
  const buyer = await makeBuyer(body);
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      send(`${(index % 2 ? one : other).url}${door}`, { body, payment: buyer.header }),
    ),
  );
  const given = answers.filter(({ status }) => status === 200);
  expect(answers.filter(({ status }) => status !== 200 && status !== 409)).toEqual([]);
  expect(new Set(given.map(({ body: answer }) => answer['id'])).size).toBe(1);
  expect(given[0]?.body).toMatchObject({ choices: [{ message: { content: 'one two three' } }] });
  const another = { ...body, messages: [{ role: 'user', content: 'another message' }] };
  expect((await send(`${other.url}${door}`, { body: another, payment: buyer.header })).status).toBe(409);
  expect([source.countRuns('both doors'), source.countRuns('another message')]).toEqual([1, 0]);
  expect(await spentBy(buyer)).toBe(10_000n);
});

test('kill -9 in the middle of a stream: another server makes the answer that is paid, for the same payment', async () => {
  const body = asked('killed');
  const dying = await world.current.startServer({}, startToyServerChild);
  const buyer = await makeBuyer(body);
  const held = source.hold('killed', 2);
  const first = await open(dying, body, buyer);
  await held;
  await first.until('one two ');
  await dying.kill();
  await expect(first.rest()).rejects.toThrow('terminated');
  source.script('killed', [{ text: 'made ' }, { text: 'anew' }]);
  await world.current.buryTheDead();
  await expect
    .poll(async () => (await open(other, body, buyer)).rest(), { timeout: 30_000 })
    .toMatchObject({ text: 'made anew', isWhole: true });
  expect(source.countRuns('killed')).toBe(2);
  expect(await spentBy(buyer)).toBe(10_000n);
  await expect.poll(() => world.current.audit(creator.payTo), { timeout: 20_000 }).toEqual([]);
});

test("the owner's key runs at both, and revoked at one it is nobody's at the other", async () => {
  const { id, secret: apiKey } = await makeKey(creator, ['resources:write']);
  const body = { ...asked('own'), stream: false };
  const call = (server: ServerChild) =>
    send(`${server.url}${door}`, { body, headers: { Authorization: `Bearer ${apiKey}` } });
  // Known to the memory of each.
  expect(await Promise.all([call(one), call(other)])).toMatchObject([{ status: 200 }, { status: 200 }]);
  expect((await creator.call('DELETE', `/api/user/api-keys/${id}`)).status).toBe(200);
  expect((await call(one)).status).toBe(402);
  await expect.poll(async () => (await call(other)).status).toBe(402);
});
