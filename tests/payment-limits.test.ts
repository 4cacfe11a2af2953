import { randomBytes } from 'node:crypto';
import { parseEther, type Hex } from 'viem';
import { privateKeyToAddress, type PrivateKeyAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { makeContractWallet } from './support/contract-wallet.ts';
import { startFaultyRpc, type FaultyRpc } from './support/faulty-rpc.ts';
import { makeHostileWallet } from './support/hostile-wallet.ts';
import { getChallenge, send, toOffer } from './support/paid-request.ts';
import { encodeHeader, makeAccount, signOffer, toEnvelope, type SignedPayload } from './support/pay.ts';
import type { ServerChild } from './support/server-child.ts';
import { useWorld } from './support/server-world.ts';
import type { Creator } from './support/start-app.ts';

/* What payments that are no good may cost, and whom the limits leave alone. Two servers; one chain that counts. */
const world = useWorld();
const servers: ServerChild[] = [];
let rpc: FaultyRpc;
let creator: Creator;

beforeAll(async () => {
  rpc = await startFaultyRpc(world.current.chain.current.rpcUrl);
  const start = () => world.current.startServer({ RPC_URLS: `eip155:84532=${rpc.url}` });
  servers.push(await start(), await start());
  creator = await world.current.makeCreator(servers[0] as ServerChild, 'ada');
  await creator.publish({ slug: 'essay' });
  await creator.publish({ slug: 'prepaid', settlementPoint: 'upfront' });
});
afterEach(() => rpc.alter((body) => body));
afterAll(() => rpc.close());

const newAddress = (): string => `203.0.${randomBytes(2).join('.')}`;
const urlOf = (turn: number, slug: string): string => `${(servers[turn % 2] as ServerChild).url}/@ada/${slug}`;

interface Paying {
  account: PrivateKeyAccount;
  /** Another payer than who signs. */
  from?: string;
  address: string;
  slug?: string;
  turn?: number;
}

async function pay({ account, from, address, slug = 'essay', turn = 0 }: Paying, changes: Partial<SignedPayload> = {}) {
  const url = urlOf(turn, slug);
  const offer = toOffer(await getChallenge(url));
  const signed = { ...(await signOffer(account, offer, from === undefined ? {} : { from })), ...changes };
  const payment = encodeHeader(toEnvelope(2, offer, signed));
  return send(url, { payment, headers: { 'X-Forwarded-For': address }, body: { topic: 'rivers' } });
}

async function makeBuyer(): Promise<PrivateKeyAccount> {
  const account = makeAccount();
  await world.current.chain.current.faucet.send(account.address);
  return account;
}

/** What the creator reads of the latest refusals. */
async function listRefused(): Promise<unknown[]> {
  const { body } = await creator.call('GET', '/api/usage?status=refused&limit=100');
  return (body['items'] as { cause: string | null }[]).map(({ cause }) => cause);
}

const countAsked = () => rpc.seen.filter((method) => method === 'eth_getCode' || method === 'eth_call').length;
const limited = {
  status: 429,
  body: { code: 'rate_limited', detail: expect.stringContaining('This request charged nothing') },
};

test.each([
  ['one IPv4 address', () => '203.0.113.9'],
  ['one IPv6 network', () => `2001:db8:1:2:${randomBytes(2).toString('hex')}::${randomBytes(2).toString('hex')}`],
])(
  '300 payments with garbage signatures from %s cost at most 60 questions to the chain, and then a 429',
  async (_, toAddress) => {
    const garbage = { signature: `0x${'11'.repeat(65)}` };
    const before = countAsked();
    const answers: Awaited<ReturnType<typeof pay>>[] = [];
    for (let turn = 0; turn < 300; turn += 1) {
      answers.push(await pay({ account: makeAccount(), address: toAddress(), turn: 0 }, garbage));
    }
    expect(countAsked() - before).toBeLessThanOrEqual(60);
    expect(answers.slice(0, 20).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 402));
    expect(answers.at(-1)).toMatchObject(limited);
    expect(Number(answers.at(-1)?.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(answers.at(-1)?.headers.get('Content-Type')).toContain('application/problem+json');
    expect(await listRefused()).toContainEqual(expect.stringContaining('not signed by the key of their payer'));
    const neighbour = await pay({ account: await makeBuyer(), address: toAddress() });
    expect(neighbour.status).toBe(200);
  },
);

test('garbage that is sent to both servers in turn costs each of them its own 60 questions at the most', async () => {
  const [address, before] = [newAddress(), countAsked()];
  const statuses: number[] = [];
  for (let turn = 0; turn < 100; turn += 1) {
    const garbage = { signature: `0x${'11'.repeat(65)}` };
    statuses.push((await pay({ account: makeAccount(), address, turn }, garbage)).status);
  }
  expect(countAsked() - before).toBeLessThanOrEqual(120);
  expect(statuses.slice(-20)).toEqual(Array.from({ length: 20 }, () => 429));
});

test('a contract wallet that has paid is still asked for behind an address that sends garbage', async () => {
  const owner = makeAccount();
  const from = await makeContractWallet(world.current.chain, owner);
  const address = newAddress();
  expect((await pay({ account: owner, from, address })).status).toBe(200);
  const garbage = { signature: `0x${'11'.repeat(65)}` };
  for (let turn = 0; turn < 25; turn += 1) {
    await pay({ account: makeAccount(), address }, garbage);
  }
  expect((await pay({ account: makeAccount(), address }, garbage)).status).toBe(429);
  expect((await pay({ account: owner, from, address })).status).toBe(200);
});

test('60 refused payments of one wallet make it wait, over both servers, and nobody else behind its address', async () => {
  const [account, address] = [makeAccount(), newAddress()];
  const statuses: number[] = [];
  for (let turn = 0; turn < 60; turn += 1) {
    statuses.push((await pay({ account, address, turn })).status);
  }
  expect(statuses.filter((status) => status === 402)).toHaveLength(20);
  expect(statuses.slice(20)).toEqual(Array.from({ length: 40 }, () => 429));
  expect(await pay({ account, address })).toMatchObject(limited);
  expect(await listRefused()).toContainEqual(expect.stringContaining('were refused within a minute'));
  expect((await pay({ account: await makeBuyer(), address })).status).toBe(200);
});

test('empty wallets, each used once, take 60 rows a minute of one network; who has paid before goes on buying', async () => {
  const address = newAddress();
  const known = await makeBuyer();
  expect((await pay({ account: known, address: newAddress() })).status).toBe(200);
  const statuses: number[] = [];
  for (let turn = 0; turn < 70; turn += 1) {
    statuses.push((await pay({ account: makeAccount(), address, turn })).status);
  }
  expect(statuses.filter((status) => status === 402)).toHaveLength(60);
  expect(statuses.slice(60)).toEqual(Array.from({ length: 10 }, () => 429));
  expect((await pay({ account: known, address })).status).toBe(200);
  expect((await pay({ account: await makeBuyer(), address: newAddress() })).status).toBe(200);
});

/** A contract wallet whose transfers pass every simulation and revert when they are mined. */
async function openHostile() {
  const { chain } = world.current;
  const nobody = '0x0000000000000000000000000000000000000000';
  await chain.client.setBalance({ address: nobody, value: parseEther('1') });
  rpc.alter((body) => body.replaceAll(/"from":"0x[0-9a-f]{40}"/gi, `"from":"${nobody}"`));
  return { account: makeAccount(), from: await makeHostileWallet(chain), address: newAddress() };
}

/** Transactions of the settlers that were mined: what is sent twice, or again because another process took its nonce, burns gas once. */
async function countMined(): Promise<number> {
  const { chain, environment } = world.current;
  const keys = (environment['SETTLER_PRIVATE_KEYS'] ?? '').split(',') as Hex[];
  const counts = keys.map((key) => chain.client.getTransactionCount({ address: privateKeyToAddress(key) }));
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

test('a wallet that burns the gas of its settlements is sent for four times a day, whenever its calls are paid', async () => {
  const hostile = await openHostile();
  const before = await countMined();
  const statuses: number[] = [];
  for (let turn = 0; turn < 6; turn += 1) {
    statuses.push((await pay({ ...hostile, turn, slug: turn < 3 ? 'prepaid' : 'essay' })).status);
  }
  expect(statuses).toEqual([402, 402, 429, 429, 429, 429]);
  expect((await countMined()) - before).toBe(4);
  const { body } = await creator.call('GET', '/api/usage?status=refused&limit=1');
  expect(body['items']).toMatchObject([{ problem: 'too_many_reverted', cause: expect.stringContaining('cost gas') }]);
  expect((await pay({ account: await makeBuyer(), address: hostile.address })).status).toBe(200);
});

test('a wallet that burns gas with many payments at once is sent for four times as well', async () => {
  const hostile = await openHostile();
  const before = await countMined();
  const many = Array.from({ length: 12 }, (_, turn) => pay({ ...hostile, turn, slug: 'prepaid' }));
  const statuses = (await Promise.all(many)).map(({ status }) => status);
  expect(statuses.filter((status) => status !== 402 && status !== 429)).toEqual([]);
  expect((await countMined()) - before).toBeGreaterThan(0);
  expect((await countMined()) - before).toBeLessThanOrEqual(4);
});
