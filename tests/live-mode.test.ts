import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { parseEther, type Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSnapshot } from '#models/index.ts';
import { startOpenRouterSimulator, type OpenRouterSimulator } from '#sandbox/index.ts';
import { readConfig } from '../src/config.ts';
import { startFarebox, type Farebox } from '../src/main.ts';
import { findFreePort } from './support/free-port.ts';
import { getChallenge, payFor, send } from './support/paid-request.ts';
import { useTestChain } from './support/test-chain.ts';
import { useTestDatabase } from './support/test-database.ts';

/* Live mode behind a proxy that is not there: the public origin is https, the tests call the port itself. */
const PUBLIC_URL = 'https://pay.example.com';
const database = useTestDatabase();
const chain = useTestChain();
const settler = generatePrivateKey();
let openRouter: OpenRouterSimulator;
let folder: string;
let farebox: Farebox;
let origin: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farebox-live-'));
  openRouter = await startOpenRouterSimulator({ port: 0, catalogue: (await readSnapshot()).models });
  await chain.current.fund(privateKeyToAccount(settler).address, parseEther('10'));
  const port = await findFreePort();
  origin = `http://127.0.0.1:${port}`;
  const config = readConfig({
    MODE: 'live',
    PORT: String(port),
    DATA_DIR: folder,
    DATABASE_URL: database.url,
    MASTER_KEY: randomBytes(32).toString('hex'),
    PUBLIC_URL,
    NETWORKS: 'eip155:84532',
    RPC_URLS: `eip155:84532=${chain.current.rpcUrl}`,
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

interface Signed {
  /** Name and value of the session cookie, for a client that is not a browser. */
  cookie: string;
  attributes: string[];
}

async function signUp(username: string): Promise<Signed> {
  const { status, headers } = await send(`${origin}/api/auth/sign-up/email`, {
    headers: { Origin: PUBLIC_URL },
    body: { email: `${username}@example.com`, password: 'correct horse battery', name: username, username },
  });
  expect(status).toBe(200);
  const lines = headers.getSetCookie().map((line) => line.split('; '));
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
