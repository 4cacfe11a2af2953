import { keccak256, parseEther, toBytes } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { Address, Hex } from 'viem';
import { CHAIN_ID, connectChain, type ChainClient } from './connect-chain.ts';
import { keepState } from './keep-state.ts';
import type { Log } from './log.ts';
import { contractAddresses, placedContracts, readArtefact } from './read-artefact.ts';
import { spawnAnvil } from './spawn-anvil.ts';

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

export const FAUCET_AMOUNT_ATOMIC = 10_000_000n;

const SNAPSHOT_SECONDS = 3;
const DRAIN_WITHIN_MS = 3_000;
const MINT_GAS = 150_000n;
/** No secret: the account can do nothing but mint play money, which everybody can. */
const faucetAccount = privateKeyToAccount(keccak256(toBytes('farebox sandbox faucet')));
const mintAbi = [
  {
    type: 'function',
    name: 'mint',
    stateMutability: 'nonpayable',
    inputs: [
      { name: 'to', type: 'address' },
      { name: 'value', type: 'uint256' },
    ],
    outputs: [{ type: 'bool' }],
  },
] as const;
const balanceAbi = [
  {
    type: 'function',
    name: 'balanceOf',
    stateMutability: 'view',
    inputs: [{ name: 'account', type: 'address' }],
    outputs: [{ type: 'uint256' }],
  },
] as const;

/** Starts the local chain, or continues the one whose state stands in the folder. Ready when every contract is in its place. */
export async function startChain(options: ChainOptions): Promise<Chain> {
  const rpcUrl = `http://127.0.0.1:${options.port}`;
  const client = connectChain(rpcUrl);
  const anvil = await spawnAnvil({ ...options, client });
  const fund = (address: Address, wei: bigint): Promise<void> => raiseBalance(client, { address, wei });
  try {
    await placeContracts(client);
    await fund(faucetAccount.address, parseEther('1000000'));
  } catch (error) {
    await anvil.stop();
    throw error;
  }
  const { folder, log, snapshotSeconds = SNAPSHOT_SECONDS } = options;
  const state = keepState({ client, folder, log, everyMs: snapshotSeconds * 1000 });
  log.info({ rpcUrl, pid: anvil.pid }, 'local chain ready');
  return {
    rpcUrl,
    chainId: CHAIN_ID,
    token: { address: contractAddresses.usdc, name: 'USDC', version: '2', decimals: 6 },
    faucet: { send: oneAtATime((address: Address) => mint(client, address)) },
    balanceAtomic: (address) =>
      client.readContract({
        address: contractAddresses.usdc,
        abi: balanceAbi,
        functionName: 'balanceOf',
        args: [address],
      }),
    fund,
    async stop() {
      await Promise.all([state.stop(), untilMined(client)]);
      await anvil.stop();
    },
    pid: anvil.pid,
  };
}

async function placeContracts(client: ChainClient): Promise<void> {
  await Promise.all(
    placedContracts.map(async ({ artefact, address }) => {
      const { runtimeBytecode } = await readArtefact(artefact);
      if ((await client.getCode({ address })) !== runtimeBytecode) {
        await client.setCode({ address, bytecode: runtimeBytecode });
      }
    }),
  );
}

async function raiseBalance(client: ChainClient, { address, wei }: { address: Address; wei: bigint }): Promise<void> {
  if ((await client.getBalance({ address })) < wei) {
    await client.setBalance({ address, value: wei });
  }
}

async function mint(client: ChainClient, address: Address): Promise<{ transaction: Hex; amountAtomic: bigint }> {
  const transaction = await client.writeContract({
    account: faucetAccount,
    address: contractAddresses.usdc,
    abi: mintAbi,
    functionName: 'mint',
    args: [address, FAUCET_AMOUNT_ATOMIC],
    gas: MINT_GAS,
  });
  const receipt = await client.waitForTransactionReceipt({ hash: transaction });
  if (receipt.status !== 'success') {
    throw new Error(`The faucet's transaction ${transaction} was reverted.`);
  }
  return { transaction, amountAtomic: FAUCET_AMOUNT_ATOMIC };
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
async function untilMined(client: ChainClient): Promise<void> {
  const deadline = performance.now() + DRAIN_WITHIN_MS;
  const pending = async (): Promise<number> => (await client.getTxpoolStatus()).pending;
  while (performance.now() < deadline && (await pending().catch(() => 0)) > 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
