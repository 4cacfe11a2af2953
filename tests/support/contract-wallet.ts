import { encodeFunctionData, parseAbi, parseEther, type Address, type PrivateKeyAccount } from 'viem';
import { readArtefact } from '#sandbox/index.ts';
import { makeAccount } from './pay.ts';
import type { TestChain } from './test-chain.ts';

/** A wallet with code that accepts what `owner` signs (ERC-1271), with test USDC in it. */
export async function makeContractWallet(chain: TestChain, owner: PrivateKeyAccount): Promise<Address> {
  const wallet = makeAccount().address;
  const { runtimeBytecode } = await readArtefact('contract-wallet');
  await chain.client.setCode({ address: wallet, bytecode: runtimeBytecode });
  await chain.current.fund(owner.address, parseEther('1'));
  const data = encodeFunctionData({
    abi: parseAbi(['function claim(address)']),
    functionName: 'claim',
    args: [owner.address],
  });
  const hash = await chain.client.sendTransaction({ account: owner, to: wallet, data });
  await chain.client.waitForTransactionReceipt({ hash });
  await chain.current.faucet.send(wallet);
  return wallet;
}
