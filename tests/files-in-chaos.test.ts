import { afterAll, expect, test } from 'vitest';
import { makePng, toDataUrl } from './support/files.ts';
import type { ServerChild } from './support/server-child.ts';
import { signFor, untilAllClosed, useWorld } from './support/server-world.ts';
import { makeCreator } from './support/start-app.ts';
import { openFileWorld } from './support/world-of-files.ts';

/*
 * kill -9 of a server that has a buyer's file in its hands: while it fetches it, between fetch and run, and after the call
 * was paid. A second process has the same database and data folder.
 */
const world = useWorld();
const files = await openFileWorld();
afterAll(() => files.stop());
const png = makePng(12, 7);
const part = { type: 'image_url', image_url: { url: toDataUrl('image/png', png) } };

const startServer = () => world.current.startServer({ OPENROUTER_BASE_URL: files.openRouterUrl });

async function publish(server: ServerChild, draft: { slug: string; settlementPoint?: string }) {
  const creator = await makeCreator({ publicUrl: server.url, sandbox: null }, draft.slug, { openRouterKey: files.key });
  await creator.publish({
    parameters: [{ name: 'photo', type: 'image' }],
    priceUsdc: '0.05',
    config: { modelId: 'google/gemini-2.5-flash', systemPrompt: 'Say what this is.', maxTokens: 50 },
    ...draft,
  });
  return { path: `/@${draft.slug}/${draft.slug}`, creator };
}

async function makeBuyer(url: string) {
  const { account } = await world.current.makeBuyer(url, 'x');
  const header = await signFor(url, account);
  const spent = async () => 10_000_000n - (await world.current.chain.current.balanceAtomic(account.address));
  return { header, spent };
}

async function send(url: string, header: string, photo: string): Promise<{ status: number } | null> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'PAYMENT-SIGNATURE': header },
      body: JSON.stringify({ photo }),
    });
    await response.arrayBuffer();
    return { status: response.status };
  } catch {
    return null;
  }
}

test('kill -9 while a file is fetched: nothing is charged, and the same payment buys the answer', async () => {
  const first = await startServer();
  const { path, creator } = await publish(first, { slug: 'fetching' });
  const buyer = await makeBuyer(first.url + path);
  const reached = Promise.withResolvers<void>();
  const photo = files.serve('hung', () => reached.resolve());
  const lost = send(first.url + path, buyer.header, photo);
  await reached.promise;
  await first.kill();
  expect(await lost).toBeNull();
  await world.current.buryTheDead();
  const second = await startServer();
  await untilAllClosed(world.current.database);
  expect(await buyer.spent()).toBe(0n);
  files.serve('hung', png);
  expect(await send(second.url + path, buyer.header, photo)).toEqual({ status: 200 });
  expect(await buyer.spent()).toBe(50_000n);
  expect(await world.current.audit(creator.payTo)).toEqual([]);
});

test('kill -9 between fetch and answer: nothing is charged, and the same payment buys the answer', async () => {
  const first = await startServer();
  const { path, creator } = await publish(first, { slug: 'running' });
  const buyer = await makeBuyer(first.url + path);
  const held = files.holdChat();
  const lost = send(first.url + path, buyer.header, toDataUrl('image/png', png));
  await held;
  await first.kill();
  expect(await lost).toBeNull();
  await world.current.buryTheDead();
  const second = await startServer();
  await untilAllClosed(world.current.database);
  expect(await buyer.spent()).toBe(0n);
  expect(await send(second.url + path, buyer.header, toDataUrl('image/png', png))).toEqual({ status: 200 });
  expect(await buyer.spent()).toBe(50_000n);
  expect(await world.current.audit(creator.payTo)).toEqual([]);
});

test('kill -9 in the run of a paid call: another process runs it with the very bytes, whatever their URL serves by then', async () => {
  const first = await startServer();
  const { path, creator } = await publish(first, { slug: 'prepaid', settlementPoint: 'upfront' });
  const buyer = await makeBuyer(first.url + path);
  const photo = files.serve('once', png);
  const held = files.holdChat();
  const lost = send(first.url + path, buyer.header, photo);
  await held;
  files.serve('once', makePng(1, 1));
  await first.kill();
  expect(await lost).toBeNull();
  await world.current.buryTheDead();
  const second = await startServer();
  await expect
    .poll(async () => (await send(second.url + path, buyer.header, photo))?.status, { timeout: 30_000, interval: 200 })
    .toBe(200);
  expect(files.chats.at(-1)?.messages[0]?.content).toContainEqual(part);
  expect(files.fetched.filter((name) => name === 'once')).toHaveLength(1);
  expect(await buyer.spent()).toBe(50_000n);
  await untilAllClosed(world.current.database);
  expect(await world.current.audit(creator.payTo)).toEqual([]);
});
