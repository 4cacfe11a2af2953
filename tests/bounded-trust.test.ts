import { randomBytes } from 'node:crypto';
import type { PrivateKeyAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { moveUsdc } from './support/move-usdc.ts';
import { makeAccount } from './support/pay.ts';
import { startToyServerChild, type ServerChild } from './support/server-child.ts';
import { signFor, useWorld } from './support/server-world.ts';
import { startStreamSource, type StreamSource } from './support/stream-source.ts';
import { withoutTrustBounds } from './support/without-trust-bounds.ts';

/*
 * Buyers who have work done and take their money away meanwhile, through whole servers. The work stands still at the
 * source until the money is gone.
 */
const world = useWorld();
const servers: ServerChild[] = [];
let source: StreamSource;

beforeAll(async () => {
  source = await startStreamSource();
  const start = () => world.current.startServer({}, startToyServerChild);
  servers.push(await start(), await start());
});
afterAll(() => source.close());

interface Shop {
  path: string;
  topic: string;
  /** Where all requests of the story come from. */
  address: string;
  servers: readonly ServerChild[];
  earned(): Promise<bigint>;
}

async function openShop(used: readonly ServerChild[]): Promise<Shop> {
  const name = `c${randomBytes(5).toString('hex')}`;
  const creator = await world.current.makeCreator(servers[0] as ServerChild, name);
  await creator.publish({ slug: 'work', kind: 'toy_stream', config: { source: source.url, form: 'json' } });
  return {
    path: `/@${name}/work`,
    topic: `topic of ${name}`,
    address: `198.51.${randomBytes(2).join('.')}`,
    servers: used,
    earned: () => world.current.chain.current.balanceAtomic(creator.payTo),
  };
}

/** One payment, at the server whose turn it is. */
async function buy(shop: Shop, account: PrivateKeyAccount, turn = 0): Promise<number> {
  const url = `${(shop.servers[turn % shop.servers.length] as ServerChild).url}${shop.path}`;
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'PAYMENT-SIGNATURE': await signFor(url, account),
      'X-Forwarded-For': shop.address,
    },
    body: JSON.stringify({ topic: shop.topic }),
  });
  await response.arrayBuffer();
  return response.status;
}

async function makeWallet(amountAtomic: bigint): Promise<PrivateKeyAccount> {
  const { chain } = world.current;
  const [purse, wallet] = [makeAccount(), makeAccount()];
  await chain.current.faucet.send(purse.address);
  await moveUsdc(chain, { from: purse.address, to: wallet.address, amountAtomic });
  return wallet;
}

/** 30 payments at once of one wallet with 0.30 USDC, which moves away when all that will be worked on is. */
async function payThirtyAndLeave(shop: Shop) {
  const wallet = await makeWallet(300_000n);
  void source.hold(shop.topic, 0);
  const answers = Promise.all(Array.from({ length: 30 }, (_, index) => buy(shop, wallet, index)));
  await expect.poll(() => source.countRuns(shop.topic), { timeout: 60_000 }).toBe(30);
  await moveUsdc(world.current.chain, { from: wallet.address });
  source.release();
  const statuses = await answers;
  return { runs: source.countRuns(shop.topic), answered: statuses.filter((status) => status === 200).length };
}

/** 0.01 USDC goes from one new wallet to the next as soon as its work has begun. */
async function handAlong(shop: Shop) {
  let wallet = await makeWallet(10_000n);
  let answered = 0;
  for (let turn = 0; turn < 8; turn += 1) {
    const begun = source.hold(shop.topic, 0);
    const answer = buy(shop, wallet, turn);
    await Promise.race([answer, begun]);
    const next = makeAccount();
    await moveUsdc(world.current.chain, { from: wallet.address, to: next.address });
    source.release();
    answered += (await answer) === 200 ? 1 : 0;
    wallet = next;
  }
  return { runs: source.countRuns(shop.topic), answered };
}

describe.each([1, 2])('in %i process(es)', (count) => {
  test('of 30 payments at once by a wallet that then empties itself, at most one has its work done unpaid', async () => {
    const shop = await openShop(servers.slice(0, count));
    const { runs, answered } = await payThirtyAndLeave(shop);
    const paid = Number((await shop.earned()) / 10_000n);
    expect(runs - paid).toBeLessThanOrEqual(1);
    expect(answered).toBe(paid);
  });

  test('0.01 USDC handed along 8 new wallets has three pieces of work done unpaid, and then is spent', async () => {
    const shop = await openShop(servers.slice(0, count));
    const { runs, answered } = await handAlong(shop);
    expect({ runs, answered, earned: await shop.earned() }).toEqual({ runs: 4, answered: 1, earned: 10_000n });
  });

  test('without the bounds both attacks have all of their work done for nothing', async () => {
    await withoutTrustBounds(world.current.databaseUrl, async () => {
      const [at, along] = [await openShop(servers.slice(0, count)), await openShop(servers.slice(0, count))];
      expect(await payThirtyAndLeave(at)).toEqual({ runs: 30, answered: 0 });
      expect(await handAlong(along)).toEqual({ runs: 8, answered: 0 });
      expect([await at.earned(), await along.earned()]).toEqual([0n, 0n]);
    });
  });
});
