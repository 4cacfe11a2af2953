import { join } from 'node:path';
import { Pool } from 'undici';
import type { Offer } from '#payments/index.ts';
import { startChild } from './child.ts';
import { compare, median, type Round, type Side } from './compare.ts';
import { PRICE_USDC, type BenchWorld } from './open-world.ts';
import { perPart } from './processor-time.ts';
import { makeWallet, signPayment, type Wallet } from './sign-payments.ts';

const IN_FLIGHT = 32;
const CALLS_PER_ROUND = 320;
const WARM_UP_ROUNDS = 3;
const ROUNDS = 5;

const peers = [
  {
    settler: 'sdk',
    name: 'Express + @x402/express + openai',
    title: "the peer settles with the SDK's facilitator",
    aim: 3,
  },
  {
    settler: 'farebox',
    name: 'Express + @x402/express + openai + our settler',
    title: 'the peer is given our settler',
  },
] as const;

/** A paid call: verified, run on the simulator, settled on the chain, answered. Thirty-two payments are always in flight. */
export async function measurePaid(world: BenchWorld): Promise<void> {
  const wallets = Array.from({ length: IN_FLIGHT }, makeWallet);
  for (const wallet of wallets) {
    await world.chain.faucet.send(wallet.address);
  }
  const ours = await toSide(wallets, { name: 'Farebox', pid: world.farebox.pid, url: world.farebox.resourceUrl });
  for (const { settler, name, title, ...aim } of peers) {
    const peer = await startPeer(world, settler);
    try {
      await compare({
        title: `A paid call, ${IN_FLIGHT} in flight: ${title}`,
        unit: 'calls',
        rounds: ROUNDS,
        ...aim,
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
    const headers = Array.from({ length: CALLS_PER_ROUND }, (_, index) => {
      const wallet = wallets[index % wallets.length];
      return wallet ? signPayment(wallet, offer).header : '';
    });
    const took: number[] = [];
    const startedAt = performance.now();
    const { parts, ...rest } = await perPart(pid, () => payAll({ name, url, headers, took }));
    return { perSecond: (parts * 1000) / (performance.now() - startedAt), medianMs: median(took), ...rest };
  };
  const warmUp = async (): Promise<void> => {
    for (let left = WARM_UP_ROUNDS; left > 0; left -= 1) {
      await round();
    }
  };
  return { name, warmUp, round };
}

/** What the server asks for, from its 402. */
async function readOffer(url: string): Promise<Offer> {
  const response = await fetch(url, { method: 'POST' });
  const required = Buffer.from(response.headers.get('payment-required') ?? '', 'base64').toString();
  const { accepts } = JSON.parse(required) as { accepts: (Omit<Offer, 'amountAtomic'> & { amount: string })[] };
  if (!accepts[0]) {
    throw new Error(`${url} offers no way to pay.`);
  }
  const { amount, ...rest } = accepts[0];
  return { ...rest, amountAtomic: BigInt(amount) };
}

interface Batch {
  name: string;
  url: string;
  headers: string[];
  took: number[];
}

async function payAll({ name, url, headers, took }: Batch): Promise<number> {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: IN_FLIGHT });
  const count = headers.length;
  const worker = async (): Promise<void> => {
    for (let header = headers.pop(); header !== undefined; header = headers.pop()) {
      const startedAt = performance.now();
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: pathname,
        headers: { 'content-type': 'application/json', 'payment-signature': header },
        body: JSON.stringify({ topic: `rain ${headers.length}` }),
      });
      const text = await body.text();
      if (statusCode !== 200 || !text.includes('response')) {
        throw new Error(`${name} answered a payment with ${statusCode}: ${text.slice(0, 300)}`);
      }
      took.push(performance.now() - startedAt);
    }
  };
  try {
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  } finally {
    await pool.close();
  }
  return count;
}
