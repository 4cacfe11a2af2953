import { parseEther, type Hex } from 'viem';
import { decodePayment, exactEip155 } from '#payments/index.ts';
import type { Chain } from '#sandbox/index.ts';
import { connectChain } from './connect-chain.ts';
import { makeAccount, makeOffer, schemeList } from './pay.ts';

/** Somebody else executes on the chain what a payment header authorises. Returns the transaction. */
export async function sendPayment(chain: Pick<Chain, 'rpcUrl' | 'fund'>, header: string): Promise<string> {
  const decoded = decodePayment(schemeList, { paymentSignature: header });
  if (!decoded.ok) {
    throw new Error(decoded.detail);
  }
  const { to, data, gas } = exactEip155.settleCall(decoded.payment, makeOffer());
  const account = makeAccount();
  await chain.fund(account.address, parseEther('1'));
  const client = connectChain(chain.rpcUrl);
  const hash = await client.sendTransaction({ account, to: to as Hex, data: data as Hex, gas: gas.alone });
  const { status } = await client.waitForTransactionReceipt({ hash });
  if (status !== 'success') {
    throw new Error('The payment could not be sent.');
  }
  return hash;
}
