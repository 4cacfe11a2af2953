import type { Eip155Chain } from './chain.ts';
import { readFees } from './fees.ts';
import { RpcUnreachable } from './json-rpc.ts';
import type { GasReserve, SettlerReadiness } from '../settler.ts';

export interface GasCheck {
  chain: Pick<Eip155Chain, 'rpc' | 'network'>;
  addresses: readonly string[];
  gasLimit: bigint;
}

/** Ready when the chain answers and one of our accounts can pay for a settlement. */
export async function checkGas(check: GasCheck): Promise<SettlerReadiness> {
  const reserve = await readGas(check);
  if (reserve === null) {
    return { ready: false, cause: 'the RPC endpoint does not answer' };
  }
  return reserve.settlements >= 1
    ? { ready: true }
    : { ready: false, cause: `no settler account can pay for gas: fund ${check.addresses.join(', ')}` };
}

/** Null when the chain does not answer. */
export async function readGas({ chain, addresses, gasLimit }: GasCheck): Promise<GasReserve | null> {
  try {
    const [fees, ...balances] = await Promise.all([
      readFees(chain),
      ...addresses.map((address) => chain.rpc.call('eth_getBalance', [address, 'latest'])),
    ]);
    const needed = fees.maxFeePerGas * gasLimit;
    const [most = 0n] = balances.map((balance) => toBalance(balance)).toSorted((a, b) => (a > b ? -1 : 1));
    const settlements = needed === 0n ? Number.MAX_SAFE_INTEGER : Number(most / needed);
    return { network: chain.network.caip2, addresses, settlements };
  } catch {
    return null;
  }
}

function toBalance(answer: unknown): bigint {
  if (typeof answer !== 'string' || !/^0x[0-9a-f]{1,64}$/i.test(answer)) {
    throw new RpcUnreachable('the RPC endpoint did not tell a balance');
  }
  return BigInt(answer);
}
