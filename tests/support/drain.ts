import { erc20Abi, type Hex } from 'viem';
import type { Chain } from '#sandbox/index.ts';
import { connectChain } from './connect-chain.ts';
import { makeAccount } from './pay.ts';

/** Sends all test USDC of the account away, as its owner could at any moment. */
export async function drain({ chain, address }: { chain: Chain | null | undefined; address: Hex }): Promise<void> {
  const client = connectChain(chain?.rpcUrl ?? '');
  const token = chain?.token.address ?? '0x';
  await chain?.fund(address, 10n ** 18n);
  await client.impersonateAccount({ address });
  const balance = await client.readContract({
    address: token,
    abi: erc20Abi,
    functionName: 'balanceOf',
    args: [address],
  });
  const hash = await client.writeContract({
    account: address,
    address: token,
    abi: erc20Abi,
    functionName: 'transfer',
    args: [makeAccount().address, balance],
  });
  await client.waitForTransactionReceipt({ hash });
}
