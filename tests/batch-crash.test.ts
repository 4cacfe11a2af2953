import { afterAll, beforeAll, expect, test } from 'vitest';
import { startToyServerChild, type ServerChild } from './support/server-child.ts';
import { send, signFor } from './support/paid-request.ts';
import { decodePaymentRequiredHeader } from '@x402/core/http';
import { useWorld } from './support/server-world.ts';
import { startStreamSource, type StreamSource } from './support/stream-source.ts';

/* Batches in two processes of which one is killed in the middle: no item is lost, and none asked more often than allowed. */
const world = useWorld();
let source: StreamSource;
let servers: readonly ServerChild[] = [];

beforeAll(async () => {
  source = await startStreamSource();
  const start = () => world.current.startServer({}, startToyServerChild);
  servers = await Promise.all([start(), start()]);
});
afterAll(() => source.close());

const ALLOWED = 3;
const COUNT = 24;

test('kill -9 in the middle: another process runs what is not done, for the one payment', async () => {
  const [first, second] = servers as [ServerChild, ServerChild];
  const { database, chain } = world.current;
  const creator = await world.current.makeCreator(first, 'ada');
  const { url: one } = await creator.publish({
    slug: 'many',
    kind: 'toy_stream',
    config: { source: source.url, form: 'json' },
    batch: { maxInputs: COUNT },
  });
  const url = `${one}/batch`;
  const topics = Array.from({ length: COUNT }, (_, index) => `item ${index}`);
  const [broken = '', ...standing] = [topics[3], topics[9] ?? '', topics[17] ?? ''];
  source.script(broken, [{ fail: true }]);
  const held = standing.map((topic) => source.hold(topic, 1));
  const body = { inputs: topics.map((topic) => ({ topic })) };
  const { account } = await world.current.makeBuyer(one, 'unused');
  const asked = await send(url, { body });
  const payment = await signFor(account, decodePaymentRequiredHeader(asked.headers.get('PAYMENT-REQUIRED') ?? ''));
  const accepted = await send(url, { body, payment });
  expect(accepted).toMatchObject({ status: 202, body: { state: 'running', charged: true } });
  await Promise.all(held);
  const open = async () =>
    (await database.system.query(`SELECT item_index FROM batch_items WHERE state = 'open' ORDER BY 1`)).rows;
  await expect.poll(open, { timeout: 20_000, interval: 20 }).toEqual([{ item_index: 9 }, { item_index: 17 }]);
  const there = String(accepted.body['statusUrl']).replace(first.url, second.url);
  const headers = { Authorization: `Bearer ${String(accepted.body['statusToken'])}` };
  const waiting = send(there, { method: 'GET', headers: { ...headers, Prefer: 'wait=60' } });
  await first.kill();
  await world.current.buryTheDead();
  source.release();
  expect(await waiting).toMatchObject({
    body: {
      state: 'succeeded',
      charged: true,
      receipt: { paidUsdc: '0.24' },
      progress: { note: '24 of 24, 1 failed' },
    },
  });
  const { body: result } = await send(`${there}/result`, { method: 'GET', headers });
  expect(result).toMatchObject({ succeeded: COUNT - 1, failed: 1 });
  const items = result['items'] as { index: number; ok: boolean; output?: { response: string } }[];
  expect(items.map(({ index }) => index)).toEqual(topics.map((_, index) => index));
  expect(items.filter(({ ok }) => !ok).map(({ index }) => index)).toEqual([3]);
  expect(new Set(items.filter(({ ok }) => ok).map(({ output }) => output?.response))).toEqual(
    new Set(['one two three']),
  );
  const expected = topics.map((topic) => (topic === broken ? ALLOWED : standing.includes(topic) ? 2 : 1));
  expect(topics.map((topic) => source.countRuns(topic))).toEqual(expected);
  expect(await chain.current.balanceAtomic(account.address)).toBe(10_000_000n - 240_000n);

  // What is owed of it runs again in the process that is left, for the same payment.
  source.script(broken, [{ text: 'one two three' }]);
  await database.system.query(`UPDATE calls SET updated_at = updated_at - interval '1 hour'`);
  const again = () => send(url.replace(first.url, second.url), { body, payment });
  expect(await again()).toMatchObject({ status: 202 });
  expect(await send(there, { method: 'GET', headers: { ...headers, Prefer: 'wait=60' } })).toMatchObject({
    body: { state: 'succeeded', progress: { note: '24 of 24' } },
  });
  expect(await again()).toMatchObject({ status: 200, body: { succeeded: COUNT, failed: 0 } });
  expect(await chain.current.balanceAtomic(account.address)).toBe(10_000_000n - 240_000n);
  expect(await world.current.audit(creator.payTo)).toEqual([]);
});
