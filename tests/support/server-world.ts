import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAbiItem, parseEther, type Address } from 'viem';
import { generatePrivateKey, privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Database } from '#database/index.ts';
import { measureMedia } from '#media/index.ts';
import { startOpenRouterSimulator, type OpenRouterSimulator } from '#sandbox/index.ts';
import { readSnapshot } from '#models/index.ts';
import { startDatabaseGate, type DatabaseGate } from './database-gate.ts';
import { startHttpGate, type HttpGate } from './http-gate.ts';
import { encodeHeader, makeOffer, signOffer, toEnvelope } from './pay.ts';
import { startServerChild, type ServerChild } from './server-child.ts';
import { makeCreator, type Creator } from './start-app.ts';
import { useTestChain, type TestChain } from './test-chain.ts';
import { useTestDatabase } from './test-database.ts';

const SENDERS = 6;
const OPEN = `state IN ('claimed', 'running', 'settling', 'pending', 'fulfilling')`;

/** A signed payment and the request that it belongs to; may be sent any number of times. */
export interface Buyer {
  account: PrivateKeyAccount;
  header: string;
  topic: string;
}

interface Answered {
  status: number;
  body: Record<string, unknown>;
}

/** What servers use outside of their process: database, chain and simulator, each behind a gate. It stays when they are killed. */
export interface World {
  database: Database;
  /** As its owner. */
  databaseUrl: string;
  chain: TestChain;
  simulator: OpenRouterSimulator;
  gates: { database: DatabaseGate; rpc: HttpGate; upstream: HttpGate };
  /** The settings of a server in this world. */
  environment: Record<string, string>;
  startServer(environment?: Record<string, string>, start?: typeof startServerChild): Promise<ServerChild>;
  /** Makes the processes that hold open calls count as dead at once, instead of waiting until they do. */
  buryTheDead(): Promise<void>;
  makeCreator(server: ServerChild, username: string): Promise<Creator>;
  /** A new wallet with 10 test USDC, and a payment for the resource signed with it. */
  makeBuyer(url: string, topic: string): Promise<Buyer>;
  /** What disagrees between chain, ledger and calls; empty when all is well. */
  audit(payTo: string): Promise<string[]>;
}

/** Call at the top of a test file that runs servers as processes of their own. */
export function useWorld(): { readonly current: World } {
  const database = useTestDatabase();
  const chain = useTestChain();
  const holder: { world?: World; stop?: () => Promise<void> } = {};
  beforeAll(async () => {
    const opened = await openWorld(database, chain);
    holder.world = opened.world;
    holder.stop = opened.stop;
  });
  afterAll(() => holder.stop?.());
  return {
    get current() {
      if (!holder.world) {
        throw new Error('The world is there only inside hooks and tests.');
      }
      return holder.world;
    },
  };
}

async function openWorld(database: ReturnType<typeof useTestDatabase>, chain: TestChain) {
  const folder = await mkdtemp(join(tmpdir(), 'farebox-world-'));
  await chmod(folder, 0o755);
  const simulator = await startOpenRouterSimulator({
    port: 0,
    measure: measureMedia,
    catalogue: (await readSnapshot()).models,
  });
  const gates = {
    database: await startDatabaseGate(database.url),
    rpc: await startHttpGate(chain.current.rpcUrl),
    upstream: await startHttpGate(simulator.url),
  };
  const settlers = Array.from({ length: SENDERS }, () => generatePrivateKey());
  await Promise.all(settlers.map((key) => chain.current.fund(privateKeyToAccount(key).address, parseEther('10'))));
  const environment = {
    PORT: '0',
    DATA_DIR: folder,
    DATABASE_URL: gates.database.url,
    MASTER_KEY: randomBytes(32).toString('hex'),
    RPC_URLS: `eip155:84532=${gates.rpc.origin}`,
    OPENROUTER_BASE_URL: `${gates.upstream.origin}/api/v1`,
    SETTLER_PRIVATE_KEYS: settlers.join(','),
    // Each buyer comes from an address of its own, which X-Forwarded-For says.
    TRUSTED_PROXY_HOPS: '1',
  };
  const servers: ServerChild[] = [];
  const world: World = {
    database: database.current,
    databaseUrl: database.url,
    chain,
    simulator,
    gates,
    environment,
    startServer: async (changes = {}, start = startServerChild) => {
      const server = await start({ ...environment, ...changes });
      servers.push(server);
      return server;
    },
    buryTheDead: () => buryTheDead(database.current),
    makeCreator: (server, username) =>
      makeCreator({ publicUrl: server.url, sandbox: { openRouter: simulator } }, username),
    makeBuyer: (url, topic) => makeBuyer(chain, { url, topic }),
    audit: (payTo) => audit({ database: database.current, chain }, payTo as Address),
  };
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.kill()));
    await Promise.all([gates.database.close(), gates.rpc.close(), gates.upstream.close(), simulator.stop()]);
    await rm(folder, { recursive: true, force: true });
  };
  return { world, stop };
}

export async function buryTheDead(database: Pick<Database, 'system'>): Promise<void> {
  await database.system.query(
    `UPDATE gateway_processes SET beat_at = now() - interval '1 hour'
      WHERE id IN (SELECT process_id FROM calls WHERE ${OPEN})`,
  );
}

interface Required {
  accepts: { amount: string; payTo: string; maxTimeoutSeconds: number }[];
  extensions: Record<string, unknown>;
}

async function makeBuyer(chain: TestChain, { url, topic }: { url: string; topic: string }): Promise<Buyer> {
  const account = privateKeyToAccount(generatePrivateKey());
  await chain.current.faucet.send(account.address);
  return { account, topic, header: await signFor(url, account) };
}

/** The payment header for what the 402 of the resource asks, whose extensions it sends back as clients do. */
export async function signFor(url: string, account: PrivateKeyAccount): Promise<string> {
  const { headers } = await fetch(url, { method: 'POST' });
  const required = JSON.parse(Buffer.from(headers.get('PAYMENT-REQUIRED') ?? '', 'base64').toString()) as Required;
  const { amount = '0', ...terms } = required.accepts[0] ?? {};
  const offer = makeOffer({ ...terms, amountAtomic: BigInt(amount) });
  const { extensions } = required;
  return encodeHeader({ ...toEnvelope(2, offer, await signOffer(account, offer)), extensions });
}

/** Sends the buyer's one payment. `null`: the connection broke before an answer. */
export async function send(url: string, buyer: Buyer): Promise<Answered | null> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'PAYMENT-SIGNATURE': buyer.header,
        'X-Forwarded-For': addressOf(buyer),
      },
      body: JSON.stringify({ topic: buyer.topic }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  } catch {
    return null;
  }
}

/** A network of the buyer's own, made of the wallet. */
function addressOf({ account }: Buyer): string {
  return `2001:db8:${account.address.slice(2, 6)}:${account.address.slice(6, 10)}::1`;
}

/** Waits until no call is open any more; the reconciler of a living server has to bring that about. */
export async function untilAllClosed(database: Pick<Database, 'system'>): Promise<void> {
  await expect
    .poll(async () => (await database.system.query(`SELECT id, state FROM calls WHERE ${OPEN}`)).rows, {
      timeout: 30_000,
      interval: 50,
    })
    .toEqual([]);
}

/** The state of the newest call of this buyer. */
export async function stateOf(database: Pick<Database, 'system'>, buyer: Buyer): Promise<string | undefined> {
  const { rows } = await database.system.query<{ state: string }>(
    'SELECT state FROM calls WHERE payer = $1 ORDER BY created_at DESC LIMIT 1',
    [buyer.account.address.toLowerCase()],
  );
  return rows[0]?.state;
}

interface CallRow {
  id: string;
  state: string;
  payer: string;
  transaction: string | null;
  has_answer: boolean;
  has_usage: boolean;
  booked: string | null;
}

const PAID = ['settled', 'delivered', 'owed'];
const ENDED = new Set([...PAID, 'unpaid', 'failed', 'refused']);
const transferEvent = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)');

async function audit(from: { database: Database; chain: TestChain }, payTo: Address): Promise<string[]> {
  const { rows } = await from.database.system.query<CallRow>(
    `SELECT c.id, c.state, c.payer, c.transaction, c.answer IS NOT NULL AS has_answer,
            EXISTS (SELECT FROM x402_prompt_template_usage_logs u
                     WHERE u.call_id = c.id AND u.status = 'success' AND u.amount_atomic = c.amount_atomic) AS has_usage,
            (SELECT sum(amount_atomic)::text FROM ledger_entries l WHERE l.call_id = c.id AND account = $1) AS booked
       FROM calls c WHERE lower(offer->>'payTo') = lower($2)`,
    [`creator:${payTo.toLowerCase()}`, payTo],
  );
  const logs = await from.chain.client.getLogs({
    address: from.chain.current.token.address,
    event: transferEvent,
    args: { to: payTo },
    fromBlock: 0n,
  });
  const paid = rows.filter(({ state }) => PAID.includes(state));
  const onChain = logs.map(
    ({ args, transactionHash }) => `${args.from?.toLowerCase()} ${args.value} ${transactionHash}`,
  );
  const booked = paid.map((row) => `${row.payer} ${row.booked} ${row.transaction}`);
  return [
    ...rows.filter(({ state }) => !ENDED.has(state)).map(({ id, state }) => `${id} ended as ${state}`),
    ...paid.filter((row) => !row.has_answer).map(({ id }) => `${id} is charged without an answer`),
    ...paid.filter((row) => !row.has_usage).map(({ id }) => `${id} is charged and not in the usage log`),
    ...rows.filter((row) => !paid.includes(row) && row.booked !== null).map(({ id }) => `${id} is booked and not paid`),
    ...booked.filter((line) => !onChain.includes(line)).map((line) => `booked and not on the chain: ${line}`),
    ...onChain.filter((line) => !booked.includes(line)).map((line) => `on the chain and not booked: ${line}`),
    ...onChain.filter((line, index) => onChain.indexOf(line) !== index).map((line) => `twice on the chain: ${line}`),
    ...duplicates(paid.map(({ payer }) => payer)).map((payer) => `${payer} paid twice`),
  ];
}

function duplicates(texts: readonly string[]): string[] {
  return texts.filter((text, index) => texts.indexOf(text) !== index);
}

/** What a buyer has left, in atomic units. */
export function balanceOf(world: World, buyer: Buyer): Promise<bigint> {
  return world.chain.current.balanceAtomic(buyer.account.address);
}
