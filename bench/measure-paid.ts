import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Pool } from 'undici';
import { startChild } from './child.ts';
import { compare, median, type Round, type Side } from './compare.ts';
import { PRICE_USDC, type BenchWorld } from './open-world.ts';
import { perPart } from './processor-time.ts';
import { makeWallet, readOffer, signPayment, type Wallet } from './sign-payments.ts';

const IN_FLIGHT = 32;
const ROUND_MS = 2500;
const WARM_UP_ROUNDS = 2;
/** More payments than either side can take in one round. */
const SIGNED_PER_ROUND = 2500;

const peers = [
  {
    settler: 'sdk',
    name: 'Express + @x402/express + openai',
    title: "the peer settles with the SDK's facilitator",
    rounds: 6,
    aim: 3,
  },
  {
    settler: 'farebox',
    name: 'Express + @x402/express + openai + our settler',
    title: 'the peer is given our settler',
    rounds: 3,
  },
] as const;

/** A paid call: verified, run on the simulator, settled on the chain, answered. Thirty-two payments are always in flight. */
export async function measurePaid(world: BenchWorld): Promise<void> {
  const wallets = Array.from({ length: IN_FLIGHT }, makeWallet);
  for (const wallet of wallets) {
    await world.chain.faucet.send(wallet.address);
  }
  const ours = await toSide(wallets, { name: 'Farebox', pid: world.farebox.pid, url: world.farebox.resourceUrl });
  for (const { settler, name, title, ...given } of peers) {
    const peer = await startPeer(world, settler);
    try {
      await compare({
        title: `A paid call, ${IN_FLIGHT} in flight: ${title}`,
        unit: 'calls',
        ...given,
        ours,
        theirs: await toSide(wallets, { name, pid: peer.pid, url: peer.said.url }),
      });
    } finally {
      await peer.stop();
    }
  }
}

async function startPeer(world: BenchWorld, settler: (typeof peers)[number]['settler']) {
  return startChild<{ url: string }>(join(import.meta.dirname, 'peers/server.mjs'), {
    environment: {
      SETTLER: settler,
      RPC_URL: world.chain.rpcUrl,
      SETTLER_PRIVATE_KEY: await world.makeSettlerKey(),
      OPENROUTER_BASE_URL: world.simulator.url,
      OPENROUTER_API_KEY: world.simulator.apiKey,
      PAY_TO: world.payTo,
      PRICE_USDC,
    },
  });
}

interface Target {
  name: string;
  pid: number;
  url: string;
}

async function toSide(wallets: readonly Wallet[], { name, pid, url }: Target): Promise<Side> {
  const offer = await readOffer(url);
  const round = async (): Promise<Round> => {
    const headers = Array.from({ length: SIGNED_PER_ROUND }, (_, index) => {
      const wallet = wallets[index % wallets.length];
      return wallet ? signPayment(wallet, offer).header : '';
    });
    const pool = new Pool(new URL(url).origin, { connections: IN_FLIGHT });
    const took: number[] = [];
    const until = performance.now() + ROUND_MS;
    const workers = Array.from({ length: IN_FLIGHT }, () => payUntil(until, { name, url, pool, headers, took }));
    const { parts, ...rest } = await perPart(pid, async () => {
      await Promise.race([wait(ROUND_MS), Promise.all(workers)]);
      return took.length;
    });
    const medianMs = median(took);
    await Promise.all(workers);
    await pool.close();
    return { perSecond: (parts * 1000) / ROUND_MS, medianMs, ...rest };
  };
  const warmUp = async (): Promise<void> => {
    for (let left = WARM_UP_ROUNDS; left > 0; left -= 1) {
      await round();
    }
  };
  return { name, warmUp, round };
}

interface Buying {
  name: string;
  url: string;
  pool: Pool;
  headers: string[];
  /** How long each call took, as they end. */
  took: number[];
}

/** One payment after the other; what is under way at the end is waited for and not counted. */
async function payUntil(until: number, { name, url, pool, headers, took }: Buying): Promise<void> {
  const path = new URL(url).pathname;
  for (let startedAt = performance.now(); startedAt < until; startedAt = performance.now()) {
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json', 'payment-signature': headers.pop() ?? '' },
      body: JSON.stringify({ topic: `rain ${headers.length}` }),
    });
    const text = await body.text();
    if (statusCode !== 200 || !text.includes('response')) {
      throw new Error(`${name} answered a payment with ${statusCode}: ${text.slice(0, 300)}`);
    }
    took.push(performance.now() - startedAt);
  }
}
