import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChain, type Chain } from '#sandbox/index.ts';
import { findFreePort } from '../tests/support/free-port.ts';
import { startServerChild } from '../tests/support/server-child.ts';
import { startChild } from './child.ts';
import { publishResource } from './publish-resource.ts';
import { makeWallet, NETWORK, toPrivateKey } from './sign-payments.ts';

export const PRICE_USDC = '0.001';
const SETTLER_WEI = 10n ** 21n;
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** What both sides use (chain, simulator, database), and Farebox itself in a process of its own. */
export interface BenchWorld {
  chain: Chain;
  simulator: { url: string; apiKey: string };
  payTo: string;
  /** `ownerKey`: an API key of the resource's owner. */
  farebox: { pid: number; url: string; resourceUrl: string; ownerKey: string };
  /** Private key of a new account with gas. */
  makeSettlerKey(): Promise<string>;
}

export async function openWorld(stack: AsyncDisposableStack): Promise<BenchWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'farebox-bench-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  // No snapshots of the chain while it is measured: they are for crashes and take time.
  const place = { folder: join(folder, 'chain'), port: await findFreePort(), snapshotSeconds: 3600 };
  const chain = await startChain({ ...place, log: quiet });
  stack.defer(() => chain.stop());
  const simulator = await startChild<BenchWorld['simulator']>(join(import.meta.dirname, 'simulator.ts'));
  stack.defer(() => simulator.stop());
  const makeSettlerKey = async (): Promise<string> => {
    const wallet = makeWallet();
    await chain.fund(wallet.address, SETTLER_WEI);
    return toPrivateKey(wallet);
  };
  const world = { chain, simulator: simulator.said, payTo: makeWallet().address, makeSettlerKey };
  return { ...world, farebox: await openFarebox(stack, world, {}) };
}

/** A server in a process of its own with one published resource. */
export async function openFarebox(
  stack: AsyncDisposableStack,
  { chain, simulator, payTo, makeSettlerKey }: Omit<BenchWorld, 'farebox'>,
  settings: Record<string, string>,
): Promise<BenchWorld['farebox']> {
  const folder = await mkdtemp(join(tmpdir(), 'farebox-bench-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const { pid, url, stop } = await startServerChild({
    PORT: '0',
    DATA_DIR: join(folder, 'data'),
    RPC_URLS: `${NETWORK}=${chain.rpcUrl}`,
    OPENROUTER_BASE_URL: simulator.url,
    SETTLER_PRIVATE_KEYS: await makeSettlerKey(),
    // The peers write no line per call either.
    LOG_LEVEL: 'warn',
    ...settings,
  });
  stack.defer(async () => void (await stop()));
  return { pid, url, ...(await publishResource(url, { apiKey: simulator.apiKey, payTo, priceUsdc: PRICE_USDC })) };
}
