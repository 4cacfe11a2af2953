import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChain, type Chain } from '#sandbox/index.ts';
import { findFreePort } from '../tests/support/free-port.ts';
import { startServerChild } from '../tests/support/server-child.ts';
import { startChild } from './child.ts';
import { haiku, publishResource } from './publish-resource.ts';
import { makeWallet, NETWORK, toPrivateKey } from './sign-payments.ts';

export const PRICE_USDC = '0.001';
const SETTLER_WEI = 10n ** 21n;
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** What both sides use (chain, simulator, database), and Farebox itself in a process of its own. */
export interface BenchWorld {
  chain: Chain;
  simulator: { url: string; apiKey: string };
  payTo: string;
  farebox: { pid: number; url: string; resourceUrl: string };
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
  const payTo = makeWallet().address;
  const farebox = await startServerChild({
    PORT: '0',
    DATA_DIR: join(folder, 'data'),
    RPC_URLS: `${NETWORK}=${chain.rpcUrl}`,
    OPENROUTER_BASE_URL: simulator.said.url,
    SETTLER_PRIVATE_KEYS: await makeSettlerKey(),
    // The peer writes no line per call either.
    LOG_LEVEL: 'warn',
  });
  stack.defer(async () => void (await farebox.stop()));
  const { apiKey } = simulator.said;
  const drafts = [{ ...haiku, priceUsdc: PRICE_USDC }];
  const [resourceUrl = ''] = await publishResource(farebox.url, { apiKey, payTo, drafts });
  return {
    chain,
    simulator: simulator.said,
    payTo,
    farebox: { pid: farebox.pid, url: farebox.url, resourceUrl },
    makeSettlerKey,
  };
}
