import type { Address } from 'viem';
import { makeAccount } from './pay.ts';
import type { TestChain } from './test-chain.ts';

/** ORIGIN ISZERO PUSH4 magic MUL PUSH1 224 SHL PUSH1 0 MSTORE PUSH1 32 PUSH1 0 RETURN */
const ONLY_FOR_NOBODY = '0x3215631626ba7e0260e01b60005260206000f3';

/** A wallet that accepts every signature (ERC-1271) in a simulation without a sender, and none in a transaction. */
export async function makeHostileWallet(chain: TestChain): Promise<Address> {
  const wallet = makeAccount().address;
  await chain.current.faucet.send(wallet);
  await chain.client.setCode({ address: wallet, bytecode: ONLY_FOR_NOBODY });
  return wallet;
}
