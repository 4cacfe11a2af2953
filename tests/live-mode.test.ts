import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { encodeFunctionData, erc20Abi, parseAbi, parseEther, type Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { measureMedia } from '#media/index.ts';
import { readSnapshot } from '#models/index.ts';
import { startOpenRouterSimulator, type OpenRouterSimulator } from '#sandbox/index.ts';
import { readConfig } from '../src/config.ts';
import { startFarebox, type Farebox } from '../src/main.ts';
import { networks } from '#payments/index.ts';
import { findFreePort } from './support/free-port.ts';
import { getChallenge, payFor, send, signFor } from './support/paid-request.ts';
import { useTestChain } from './support/test-chain.ts';
import { useTestDatabase } from './support/test-database.ts';

/* Live mode behind a proxy that is not there: the public origin is https, the tests call the port itself. */
const PUBLIC_URL = 'https://pay.example.com';
const database = useTestDatabase();
const chain = useTestChain();
/* Stands for Celo, whose USDC has the name that the test token has. */
const celo = useTestChain();
const CELO = 'eip155:42220';
const CELO_USDC = networks[CELO]?.asset.address as Hex;
const settler = generatePrivateKey();
let openRouter: OpenRouterSimulator;
let folder: string;
let farebox: Farebox;
let origin: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farebox-live-'));
  openRouter = await startOpenRouterSimulator({
    port: 0,
    measure: measureMedia,
    catalogue: (await readSnapshot()).models,
  });
  await chain.current.fund(privateKeyToAccount(settler).address, parseEther('10'));
  await becomeCelo();
  const port = await findFreePort();
  origin = `http://127.0.0.1:${port}`;
  const config = readConfig({
    MODE: 'live',
    PORT: String(port),
    DATA_DIR: folder,
    DATABASE_URL: database.url,
    MASTER_KEY: randomBytes(32).toString('hex'),
    PUBLIC_URL,
    NETWORKS: `eip155:84532,${CELO}`,
    RPC_URLS: `eip155:84532=${chain.current.rpcUrl},${CELO}=${celo.current.rpcUrl}`,
    SETTLER_PRIVATE_KEYS: settler,
    OPENROUTER_BASE_URL: openRouter.url,
  });
  farebox = await startFarebox(config, { log: pino({ level: 'silent' }) });
});
afterAll(async () => {
  await farebox?.close();
  await openRouter?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function becomeCelo(): Promise<void> {
  await celo.current.fund(privateKeyToAccount(settler).address, parseEther('10'));
  const code = await celo.client.getCode({ address: celo.current.token.address });
  await celo.client.setCode({ address: CELO_USDC, bytecode: code ?? '0x' });
  await celo.client.request({ method: 'anvil_setChainId', params: [42220] } as never);
}

async function mintOnCelo(address: Hex): Promise<void> {
  const data = encodeFunctionData({
    abi: parseAbi(['function mint(address, uint256)']),
    args: [address, 10_000_000n],
  });
  await celo.current.fund(address, parseEther('1'));
  await celo.client.impersonateAccount({ address });
  await celo.client.request({
    method: 'eth_sendTransaction',
    params: [{ from: address, to: CELO_USDC, data }],
  } as never);
}

interface Signed {
  /** Name and value of the session cookie, for a client that is not a browser. */
  cookie: string;
  attributes: string[];
}

async function signUp(username: string): Promise<Signed> {
  const given = { email: `${username}@example.com`, password: 'correct horse battery' };
  const headers = { Origin: PUBLIC_URL };
  const made = await send(`${origin}/api/auth/sign-up/email`, {
    headers,
    body: { ...given, name: username, username },
  });
  const signedIn = await send(`${origin}/api/auth/sign-in/email`, { headers, body: given });
  expect([made.status, signedIn.status]).toEqual([200, 200]);
  const lines = signedIn.headers.getSetCookie().map((line) => line.split('; '));
  return { cookie: lines.map(([pair]) => pair).join('; '), attributes: lines.flatMap((line) => line.slice(1)) };
}

async function manage(cookie: string, request: [method: string, path: string, body: unknown]) {
  const [method, path, body] = request;
  const answered = await send(`${origin}${path}`, { method, body, cookie, headers: { Origin: PUBLIC_URL } });
  expect(answered).toMatchObject({ status: expect.toSatisfy((status: number) => status < 300) });
  return answered.body;
}

test('live mode is ready, brings nothing of the sandbox and invites nobody to test money', async () => {
  expect(farebox.sandbox).toBeNull();
  expect(farebox.publicUrl).toBe(PUBLIC_URL);
  expect(await send(`${origin}/readyz`, { method: 'GET' })).toMatchObject({ status: 200, body: { status: 'ready' } });
  expect((await fetch(`${origin}/sandbox`)).status).toBe(404);
  expect((await fetch(`${origin}/sandbox/faucet`, { method: 'POST' })).status).toBe(404);
  expect((await fetch(`${origin}/@demo/haiku`, { method: 'POST' })).status).toBe(404);
});

test('the nightly sync of the models is on the schedule', async () => {
  const { rows } = await database.current.system.query(
    `SELECT schedule, status, cron_timezone FROM durable.workflow_schedules WHERE schedule_name = 'models.sync'`,
  );
  expect(rows).toEqual([{ schedule: '0 0 3 * * *', status: 'ACTIVE', cron_timezone: 'UTC' }]);
});

test('a creator signs up, publishes and is paid on the chain; the buyer has the answer', async () => {
  const { cookie, attributes } = await signUp('ada');
  expect(cookie).toMatch(/^__Secure-farebox/);
  expect(attributes).toEqual(expect.arrayContaining(['Secure', 'HttpOnly', 'SameSite=Lax']));
  await manage(cookie, ['PUT', '/api/user/integrations/openrouter', { apiKey: openRouter.keys.healthy }]);
  const payTo = privateKeyToAccount(generatePrivateKey()).address;
  const created = await manage(cookie, ['POST', '/api/resources', { ...draft, payTo }]);
  await manage(cookie, ['POST', `/api/resources/${String(created['id'])}/publish`, {}]);

  const url = `${origin}/@ada/essay`;
  const buyer = privateKeyToAccount(generatePrivateKey());
  await chain.current.faucet.send(buyer.address);
  expect(await getChallenge(url)).toMatchObject({ resource: { url: `${PUBLIC_URL}/@ada/essay` } });
  const answered = await send(url, { body: { topic: 'rivers' }, payment: await payFor(buyer, url) });
  expect(answered).toMatchObject({
    status: 200,
    body: { receipt: { paidUsdc: '0.01', payer: buyer.address.toLowerCase() } },
    settlement: { success: true, network: 'eip155:84532' },
  });
  expect(await chain.current.balanceAtomic(payTo)).toBe(10_000n);
  const { transaction } = answered.settlement ?? {};
  const receipt = await chain.client.getTransactionReceipt({ hash: transaction as Hex });
  expect(receipt).toMatchObject({ status: 'success', from: privateKeyToAccount(settler).address.toLowerCase() });
});

test('a resource with offers on two networks is paid on whichever the buyer chooses', async () => {
  const { cookie } = await signUp('grace');
  await manage(cookie, ['PUT', '/api/user/integrations/openrouter', { apiKey: openRouter.keys.healthy }]);
  const [payTo, onCelo] = [generatePrivateKey(), generatePrivateKey()].map((key) => privateKeyToAccount(key).address);
  const furtherOffers = [{ network: CELO, payTo: onCelo, priceUsdc: '0.02' }];
  const created = await manage(cookie, ['POST', '/api/resources', { ...draft, payTo, furtherOffers }]);
  await manage(cookie, ['POST', `/api/resources/${String(created['id'])}/publish`, {}]);

  const url = `${origin}/@grace/essay`;
  const required = await getChallenge(url);
  expect(required.accepts).toMatchObject([
    { network: 'eip155:84532', amount: '10000', payTo },
    { network: CELO, amount: '20000', payTo: onCelo, asset: CELO_USDC },
  ]);
  const buyer = privateKeyToAccount(generatePrivateKey());
  await chain.current.faucet.send(buyer.address);
  await mintOnCelo(buyer.address);
  const paid = await Promise.all(
    required.accepts.map(async (accept) =>
      send(url, { body: { topic: 'rivers' }, payment: await signFor(buyer, { ...required, accepts: [accept] }) }),
    ),
  );
  expect(paid).toMatchObject([
    { status: 200, body: { receipt: { paidUsdc: '0.01', network: 'eip155:84532' } } },
    { status: 200, body: { receipt: { paidUsdc: '0.02', network: CELO } } },
  ]);
  expect(await chain.current.balanceAtomic(payTo as Hex)).toBe(10_000n);
  const balance = { address: CELO_USDC, abi: erc20Abi, functionName: 'balanceOf', args: [onCelo as Hex] } as const;
  expect(await celo.client.readContract(balance)).toBe(20_000n);
});

const draft = {
  kind: 'openrouter_instant',
  slug: 'essay',
  name: 'Essay',
  description: 'A resource of a test.',
  category: 'ai',
  priceUsdc: '0.01',
  network: 'eip155:84532',
  parameters: [{ name: 'topic', type: 'string', description: 'Any topic.', required: true, maxLength: 200 }],
  config: { modelId: 'openai/gpt-4o-mini', systemPrompt: 'Write about {topic}{/topic}.', maxTokens: 120 },
};
