import { erc20Abi, parseEther, type Hex } from 'viem';
import { makeAccount } from './pay.ts';
import type { TestChain } from './test-chain.ts';

interface Move {
  from: Hex;
  to?: Hex;
  /** All that is there, unless told. */
  amountAtomic?: bigint;
}

/** What the owner of a wallet may do at any moment. @returns how much was moved. */
export async function moveUsdc({ current, client }: TestChain, move: Move): Promise<bigint> {
  const { from, to = makeAccount().address, amountAtomic = await current.balanceAtomic(from) } = move;
  await current.fund(from, parseEther('1'));
  await client.impersonateAccount({ address: from });
  const hash = await client.writeContract({
    account: from,
    address: current.token.address,
    abi: erc20Abi,
    functionName: 'transfer',
    args: [to, amountAtomic],
  });
  await client.waitForTransactionReceipt({ hash });
  return amountAtomic;
}
