import type { Eip155Chain } from './chain.ts';
import { readFees } from './fees.ts';
import type { SettlerReadiness } from '../settler.ts';

export interface GasCheck {
  chain: Pick<Eip155Chain, 'rpc' | 'network'>;
  addresses: readonly string[];
  gasLimit: bigint;
}

/** Ready when the chain answers and one of our accounts can pay for a settlement. */
export async function checkGas(check: GasCheck): Promise<SettlerReadiness> {
  try {
    const [fees, ...balances] = await Promise.all([
      readFees(check.chain),
      ...check.addresses.map((address) => check.chain.rpc.call('eth_getBalance', [address, 'latest'])),
    ]);
    const needed = fees.maxFeePerGas * check.gasLimit;
    return balances.some((balance) => BigInt(String(balance)) >= needed)
      ? { ready: true }
      : { ready: false, cause: `no settler account can pay for gas: fund ${check.addresses.join(', ')}` };
  } catch {
    return { ready: false, cause: 'the RPC endpoint does not answer' };
  }
}
