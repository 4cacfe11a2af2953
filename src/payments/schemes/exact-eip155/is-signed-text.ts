import { keccak256 } from '#kit/index.ts';
import type { Eip155Chain } from '../../settlers/eip155/chain.ts';
import type { SignedText } from '../scheme.ts';
import { recoverSigner } from './eip3009.ts';

/** EIP-191 by the wallet's own key, or ERC-1271 where the wallet is a contract. */
export async function isSignedText(
  chain: Eip155Chain,
  wallet: string,
  { message, signature, mayAskChain }: SignedText,
): Promise<boolean> {
  const bytes = Buffer.from(message);
  const digest = keccak256(Buffer.concat([Buffer.from(`\x19Ethereum Signed Message:\n${bytes.length}`), bytes]));
  if (recoverSigner(digest, signature) === wallet) {
    return true;
  }
  return (
    (await mayAskChain()) &&
    (await chain.reader.hasCode(wallet)) &&
    chain.reader.isValidSignature(wallet, digest, signature)
  );
}
