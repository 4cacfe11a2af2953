import { randomBytes } from 'node:crypto';
import { parseEther, type Hex } from 'viem';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { watchLedger } from '#payments/index.ts';
import { listKinds } from '../../src/plugins.ts';
import { startFaultyRpc, type FaultyRpc } from './faulty-rpc.ts';
import { openTestPayments } from './open-test-payments.ts';
import { payFor } from './paid-request.ts';
import { makeAccount } from './pay.ts';
import { sendPayment } from './send-payment.ts';
import { useApp, type Creator } from './start-app.ts';
import { startStreamSource, type StreamSource } from './stream-source.ts';
import { quietLog, useTestChain, type TestChain } from './test-chain.ts';
import { openToyStream } from './toy-stream.ts';

/** A resource of its own with one buyer and one signed payment. */
export interface Story {
  url: string;
  id: string;
  payTo: Hex;
  buyer: Hex;
  payment: string;
  body: { topic: string };
}

/** The whole app on a chain of its own, where strangers settle what buyers have signed. */
export interface ForeignWorld {
  chain: TestChain;
  rpc: FaultyRpc;
  source: StreamSource;
  creator: Creator;
  begin(settlementPoint?: string, signed?: Record<string, string>): Promise<Story>;
  makeBuyer(): Promise<ReturnType<typeof makeAccount>>;
  readCalls(story: Story): Promise<{ state: string; booked: number; runs: number }[]>;
  countBooked(story: Story): Promise<number>;
  settleElsewhere(story: Story): Promise<string>;
  /** One transfer on the chain, one booking, and the answer for the same payment. */
  expectBoughtOnce(story: Story, transaction: string): Promise<void>;
  /** The ledger watch over all that is on the chain now, the newest blocks included. Returns what it logged as errors. */
  watch(): Promise<object[]>;
}

/** Call at the top of a test file. */
export function useForeignWorld(): { readonly current: ForeignWorld } {
  const chain = useTestChain();
  const environment: Record<string, string> = {};
  const holder: { rpc?: FaultyRpc; source?: StreamSource; world?: ForeignWorld } = {};
  beforeAll(async () => {
    holder.source = await startStreamSource();
    holder.rpc = await startFaultyRpc(chain.current.rpcUrl);
    const settlerKey = generatePrivateKey();
    await chain.current.fund(privateKeyToAddress(settlerKey), parseEther('10'));
    environment['RPC_URLS'] = `eip155:84532=${holder.rpc.url}`;
    environment['SETTLER_PRIVATE_KEYS'] = settlerKey;
  });
  afterAll(async () => {
    await holder.rpc?.close();
    await holder.source?.close();
  });
  afterEach(() => {
    holder.rpc?.plan(() => null);
    holder.source?.release();
  });
  const app = useApp(environment, { listKinds: (deps) => [...listKinds(deps), openToyStream()] });
  beforeAll(async () => {
    const { rpc, source } = holder;
    if (rpc && source) {
      const creator = await app.current.makeCreator('ada');
      holder.world = toWorld({ app, chain, rpc, source, creator });
    }
  });
  return {
    get current() {
      if (!holder.world) {
        throw new Error('The world is there only inside hooks and tests.');
      }
      return holder.world;
    },
  };
}

interface Parts {
  app: ReturnType<typeof useApp>;
  chain: TestChain;
  rpc: FaultyRpc;
  source: StreamSource;
  creator: Creator;
}

function toWorld(parts: Parts): ForeignWorld {
  const { app, chain, rpc, source, creator } = parts;
  const makeBuyer = async () => {
    const account = makeAccount();
    await chain.current.faucet.send(account.address);
    return account;
  };
  const query = async <Row extends object>(text: string, value: string): Promise<Row[]> =>
    (await app.current.database.system.query<Row>(text, [value])).rows;
  const countBooked = async ({ payTo }: Story): Promise<number> =>
    (await query('SELECT FROM ledger_entries WHERE account = $1', `creator:${payTo.toLowerCase()}`)).length;
  return {
    chain,
    rpc,
    source,
    creator,
    makeBuyer,
    countBooked,
    begin: async (settlementPoint = 'on_success', signed = {}) => {
      const payTo = makeAccount().address;
      const slug = `r-${randomBytes(5).toString('hex')}`;
      const config = { source: source.url };
      const { url, id } = await creator.publish({ slug, kind: 'toy_stream', settlementPoint, config, payTo });
      const account = await makeBuyer();
      return {
        url,
        id,
        payTo,
        buyer: account.address,
        payment: await payFor(account, url, signed),
        body: { topic: slug },
      };
    },
    readCalls: ({ buyer }) =>
      query(
        `SELECT state, runs, (SELECT count(*)::int FROM ledger_entries l WHERE l.call_id = c.id) AS booked
         FROM calls c WHERE payer = $1 ORDER BY created_at`,
        buyer.toLowerCase(),
      ),
    settleElsewhere: ({ payment }) => sendPayment(chain.current, payment),
    expectBoughtOnce: async (story, transaction) => {
      const answer = await ask(story);
      expect(answer).toMatchObject({ status: 200, settlement: { success: true, transaction } });
      expect(answer.text).toContain('three');
      expect(await chain.current.balanceAtomic(story.payTo)).toBe(10_000n);
      expect(await countBooked(story)).toBe(1);
    },
    watch: () => watch({ app, chain }),
  };
}

async function watch({ app, chain }: Pick<Parts, 'app' | 'chain'>): Promise<object[]> {
  const errors: object[] = [];
  const log = { ...quietLog, error: (fields: object) => void errors.push(fields) };
  const payments = await openTestPayments(chain, { log });
  const chains = [...payments.chains].map(([name, seen]): [string, typeof seen] => [
    name,
    { ...seen, findRange: (window) => seen.findRange({ ...window, lagSeconds: -3_600 }) },
  ]);
  const young = { ...payments, chains: new Map(chains) };
  await watchLedger({ database: app.current.database, payments: young }, 7_200, app.current.gateway);
  await payments.close();
  return errors;
}

/** Sends the story's one payment. Answers of streams are text. */
export async function ask(
  { url, payment, body }: Pick<Story, 'url' | 'payment' | 'body'>,
  headers: Record<string, string> = {},
) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'PAYMENT-SIGNATURE': payment, ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const settled = response.headers.get('PAYMENT-RESPONSE');
  const settlement = settled === null ? null : (JSON.parse(Buffer.from(settled, 'base64').toString()) as object);
  return { status: response.status, text, settlement };
}

/** The problem that an answer is. */
export function toProblem({ text }: { text: string }): { code?: string; charged?: boolean } {
  return JSON.parse(text) as { code?: string; charged?: boolean };
}
