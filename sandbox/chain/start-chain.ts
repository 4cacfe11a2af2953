import type { Address, Hex } from 'viem';
import { askQuantity, CHAIN_ID, openChainRpc, toQuantity, type ChainRpc } from './chain-rpc.ts';
import { keepState } from './keep-state.ts';
import type { Log } from '#kit/index.ts';
import { contractAddresses, placedContracts, readArtefact } from './read-artefact.ts';
import { spawnAnvil } from './spawn-anvil.ts';
import { balanceOf, faucetAddress, mint } from './test-token.ts';

interface ChainOptions {
  /** Holds the state of the chain; created when missing. Belongs together with the database. */
  folder: string;
  port: number;
  /** Unset: every transaction is mined at once. */
  blockTimeSeconds?: number;
  /** How soon after a change the state is on disk in case anvil itself crashes. */
  snapshotSeconds?: number;
  log: Log;
}

export interface Chain {
  rpcUrl: string;
  chainId: typeof CHAIN_ID;
  token: { address: Address; name: string; version: string; decimals: number };
  /** Mints test USDC by a real transaction and waits for its receipt. */
  faucet: { send(address: Address): Promise<{ transaction: Hex; amountAtomic: bigint }> };
  balanceAtomic(address: Address): Promise<bigint>;
  /** Raises the test ETH of an account to at least `wei`; a settler needs it for gas. */
  fund(address: Address, wei: bigint): Promise<void>;
  /** Waits for sent transactions to be mined, then lets anvil write its state and end. */
  stop(): Promise<void>;
  /** Of anvil. */
  pid: number;
}

const SNAPSHOT_SECONDS = 3;
const DRAIN_WITHIN_MS = 3_000;
const FAUCET_WEI = 10n ** 24n;

/** Starts the local chain, or continues the one whose state stands in the folder. Ready when every contract is in its place. */
export async function startChain(options: ChainOptions): Promise<Chain> {
  const rpcUrl = `http://127.0.0.1:${options.port}`;
  const rpc = openChainRpc(rpcUrl);
  const anvil = await spawnAnvil({ ...options, rpc });
  const fund = (address: Address, wei: bigint): Promise<void> => raiseBalance(rpc, { address, wei });
  try {
    await placeContracts(rpc);
    await rpc('anvil_impersonateAccount', faucetAddress);
    await fund(faucetAddress, FAUCET_WEI);
  } catch (error) {
    await anvil.stop();
    throw error;
  }
  const { folder, log, snapshotSeconds = SNAPSHOT_SECONDS } = options;
  const state = keepState({ rpc, folder, log, everyMs: snapshotSeconds * 1000 });
  log.info({ rpcUrl, pid: anvil.pid }, 'local chain ready');
  return {
    rpcUrl,
    chainId: CHAIN_ID,
    token: { address: contractAddresses.usdc, name: 'USDC', version: '2', decimals: 6 },
    faucet: { send: oneAtATime((address: Address) => mint(rpc, address)) },
    balanceAtomic: (address) => balanceOf(rpc, address),
    fund,
    async stop() {
      await Promise.all([state.stop(), untilPoolIsEmpty(rpc)]);
      await anvil.stop();
    },
    pid: anvil.pid,
  };
}

async function placeContracts(rpc: ChainRpc): Promise<void> {
  await Promise.all(
    placedContracts.map(async ({ artefact, address }) => {
      const { runtimeBytecode } = await readArtefact(artefact);
      if ((await rpc('eth_getCode', address, 'latest')) !== runtimeBytecode) {
        await rpc('anvil_setCode', address, runtimeBytecode);
      }
    }),
  );
}

async function raiseBalance(rpc: ChainRpc, { address, wei }: { address: Address; wei: bigint }): Promise<void> {
  if ((await askQuantity(rpc, 'eth_getBalance', address, 'latest')) < wei) {
    await rpc('anvil_setBalance', address, toQuantity(wei));
  }
}

/** The faucet has one account: two transactions at once would take the same nonce. */
function oneAtATime<Input, Output>(run: (input: Input) => Promise<Output>): (input: Input) => Promise<Output> {
  let last: Promise<unknown> = Promise.resolve();
  return (input) => {
    const next = last.then(() => run(input));
    last = next.catch(() => {});
    return next;
  };
}

/** anvil does not save its pool: what is sent but not mined at the end would be gone. */
async function untilPoolIsEmpty(rpc: ChainRpc): Promise<void> {
  const deadline = performance.now() + DRAIN_WITHIN_MS;
  const isEmpty = async (): Promise<boolean> => {
    const { pending } = (await rpc('txpool_status')) as { pending: string };
    return BigInt(pending) === 0n;
  };
  while (performance.now() < deadline && !(await isEmpty().catch(() => true))) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
