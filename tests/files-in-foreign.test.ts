import { parseEther } from 'viem';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePng, toDataUrl } from './support/files.ts';
import { makeAccount } from './support/pay.ts';
import { payFor, send } from './support/paid-request.ts';
import { sendPayment } from './support/send-payment.ts';
import { useApp } from './support/start-app.ts';
import { useTestChain } from './support/test-chain.ts';
import { openFileWorld } from './support/world-of-files.ts';

/* A payment that somebody else has sent to the chain already, for a call with a file: it is paid before the file is there. */
const chain = useTestChain();
const world = await openFileWorld();
afterAll(() => world.stop());
const environment: Record<string, string> = { OPENROUTER_BASE_URL: world.openRouterUrl };
beforeAll(async () => {
  const settlerKey = generatePrivateKey();
  await chain.current.fund(privateKeyToAddress(settlerKey), parseEther('10'));
  environment['RPC_URLS'] = `eip155:84532=${chain.current.rpcUrl}`;
  environment['SETTLER_PRIVATE_KEYS'] = settlerKey;
});
const app = useApp(environment);
const png = makePng(9, 9);

async function begin(slug: string) {
  const creator = await app.current.makeCreator(slug, { openRouterKey: world.key });
  const { url } = await creator.publish({
    slug,
    priceUsdc: '0.05',
    parameters: [{ name: 'photo', type: 'image' }],
    config: { modelId: 'google/gemini-2.5-flash', systemPrompt: 'Say what this is.', maxTokens: 50 },
  });
  const account = makeAccount();
  await chain.current.faucet.send(account.address);
  const payment = await payFor(account, url);
  await sendPayment(chain.current, payment);
  return { creator, ask: (photo: string) => send(url, { payment, body: { photo } }) };
}

const part = { type: 'image_url', image_url: { url: toDataUrl('image/png', png) } };

test('a file that was sent is kept, and the call that others have paid is answered with it', async () => {
  const { creator, ask } = await begin('sent');
  expect(await ask(toDataUrl('image/png', png))).toMatchObject({
    status: 200,
    body: { receipt: { paidUsdc: '0.05' } },
  });
  expect(world.chats.at(-1)?.messages[0]?.content).toContainEqual(part);
  expect(await chain.current.balanceAtomic(creator.payTo)).toBe(50_000n);
});

test('a file that cannot be fetched leaves the call owed, and is fetched again with the next run', async () => {
  const { creator, ask } = await begin('named');
  const photo = `${world.openRouterUrl.replace('/api/v1', '')}/files/late`;
  expect(await ask(photo)).toMatchObject({ status: 503, body: { code: 'answer_owed', charged: true } });
  world.serve('late', png);
  await expect.poll(async () => (await ask(photo)).status, { timeout: 30_000, interval: 200 }).toBe(200);
  expect(world.chats.at(-1)?.messages[0]?.content).toContainEqual(part);
  expect(await chain.current.balanceAtomic(creator.payTo)).toBe(50_000n);
});
