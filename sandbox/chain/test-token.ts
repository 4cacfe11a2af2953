import { setTimeout as wait } from 'node:timers/promises';
import type { Address, Hex } from 'viem';
import { keccak256, toChecksumAddress } from '#kit/index.ts';
import { askQuantity, toQuantity, type ChainRpc } from './chain-rpc.ts';
import { contractAddresses } from './read-artefact.ts';

/** Has no key: anvil sends for it by impersonation. It only mints test USDC, which anybody may do. */
export const faucetAddress = toChecksumAddress(`0x${keccak256('farebox sandbox faucet').toString('hex', 12)}`);

export const FAUCET_AMOUNT_ATOMIC = 10_000_000n;
const MINT_GAS = 150_000n;
const RECEIPT_WITHIN_MS = 20_000;
const POLLING_MS = 25;
const selectors = {
  mint: '0x40c10f19', // mint(address,uint256)
  balanceOf: '0x70a08231', // balanceOf(address)
};

/** By a real transaction; ends when it is mined. */
export async function mint(rpc: ChainRpc, address: Address): Promise<{ transaction: Hex; amountAtomic: bigint }> {
  const data = selectors.mint + word(address) + word(toQuantity(FAUCET_AMOUNT_ATOMIC));
  const transaction = (await rpc('eth_sendTransaction', {
    from: faucetAddress,
    to: contractAddresses.usdc,
    gas: toQuantity(MINT_GAS),
    data,
  })) as Hex;
  const receipt = await untilMined(rpc, transaction);
  if (receipt.status !== '0x1') {
    throw new Error(`The faucet's transaction ${transaction} was reverted.`);
  }
  return { transaction, amountAtomic: FAUCET_AMOUNT_ATOMIC };
}

export async function balanceOf(rpc: ChainRpc, address: Address): Promise<bigint> {
  const data = selectors.balanceOf + word(address);
  return askQuantity(rpc, 'eth_call', { to: contractAddresses.usdc, data }, 'latest');
}

async function untilMined(rpc: ChainRpc, transaction: Hex): Promise<{ status: string }> {
  const deadline = performance.now() + RECEIPT_WITHIN_MS;
  while (performance.now() < deadline) {
    const receipt = (await rpc('eth_getTransactionReceipt', transaction)) as { status: string } | null;
    if (receipt) {
      return receipt;
    }
    await wait(POLLING_MS);
  }
  throw new Error(`The faucet's transaction ${transaction} was not mined within ${RECEIPT_WITHIN_MS / 1000} s.`);
}

function word(hex: string): string {
  return hex.slice(2).toLowerCase().padStart(64, '0');
}
