import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Address } from 'viem';
import { readSnapshot } from '#models/index.ts';
import { describeSandbox } from './chain/describe-sandbox.ts';
import type { Log } from '#kit/index.ts';
import { openFaucet, type Faucet } from './chain/open-faucet.ts';
import { startChain, type Chain } from './chain/start-chain.ts';
import type { MeasureFile } from './openrouter/file-sizes.ts';
import { startOpenRouterSimulator, type OpenRouterSimulator } from './openrouter/start-simulator.ts';

interface SandboxOptions {
  folder: string;
  publicUrl: string;
  chainPort: number;
  openRouterPort: number;
  /** Asked for only where the configuration names no real ones. */
  wants: { chain: boolean; openRouter: boolean };
  log: Log;
  measure: MeasureFile;
  latency?: { firstTokenMs: number; tokensPerSecond: number };
}

export interface Sandbox {
  chain: Chain | null;
  openRouter: OpenRouterSimulator | null;
  faucet: Faucet | null;
  /** The body of `GET /sandbox`; null without a chain of our own. */
  describe: (() => ReturnType<typeof describeSandbox>) | null;
  /** Raises the test ETH of a settler's account. */
  fund(address: Address): Promise<void>;
  stop(): Promise<void>;
}

/** Only who may read the data folder may steer the simulator from outside. */
const CONTROL_TOKEN_FILE = 'openrouter-simulator.token';
const SETTLER_WEI = 1_000n * 10n ** 18n;

/** Starts what stands in for the outside world. */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { folder, log, wants, publicUrl } = options;
  const chain = wants.chain ? await startChain({ folder, port: options.chainPort, log }) : null;
  const openRouter = wants.openRouter ? await startOpenRouter(options) : null;
  return {
    chain,
    openRouter,
    faucet: chain && openFaucet({ chain }),
    describe: chain && (() => describeSandbox({ chain, publicUrl, ...toUpstream(openRouter) })),
    fund: async (address) => chain?.fund(address, SETTLER_WEI),
    stop: async () => {
      await openRouter?.stop();
      await chain?.stop();
    },
  };
}

async function startOpenRouter(options: SandboxOptions): Promise<OpenRouterSimulator> {
  const { models } = await readSnapshot();
  const { openRouterPort: port, latency, folder, measure } = options;
  const controlToken = randomBytes(32).toString('hex');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, CONTROL_TOKEN_FILE), controlToken, { mode: 0o600 });
  return startOpenRouterSimulator({ port, catalogue: models, measure, controlToken, ...(latency ? { latency } : {}) });
}

function toUpstream(openRouter: OpenRouterSimulator | null) {
  return openRouter ? { openRouterUrl: openRouter.url, openRouterKeys: openRouter.keys } : {};
}
