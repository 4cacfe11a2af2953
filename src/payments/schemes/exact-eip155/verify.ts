import type { Payment } from '../../payment.ts';
import type { Eip155Chain } from '../../settlers/eip155/chain.ts';
import type { Verdict } from '../../verdict.ts';
import type { Terms } from '../scheme.ts';
import { checkTerms } from './check-terms.ts';
import { isSignedByPayer, toDigest } from './eip3009.ts';
import { gas } from './gas.ts';
import { findRefusal, inspect } from './inspect.ts';
import { payloadOf } from './payload.ts';
import { reasons } from './reasons.ts';

/** The end of an ERC-6492 signature: a wallet that is not deployed yet, with a call that would deploy it. */
const ERC6492_SUFFIX = '6492'.repeat(16);

/**
 * Signature, payee, window and amount are checked here; nonce, balance and a simulated transfer by one batched read of
 * the chain. Order and reasons are the SDK's, so that buyers see the same refusal everywhere.
 */
export async function verify(chain: Eip155Chain, payment: Payment, terms: Terms): Promise<Verdict> {
  const digest = toDigest(payment, terms.offer);
  const isOwn = isSignedByPayer(payment, digest);
  const signed: Verdict = isOwn ? { ok: true } : await askWallet(chain, payment, digest);
  if (!signed.ok) {
    return signed;
  }
  const checked = checkTerms(payment, terms);
  if (!checked.ok) {
    return checked;
  }
  // The code of a contract wallet runs in the transfer, so it is tried with the gas that the transaction would have.
  const state = await inspect(chain, payment, isOwn ? {} : { gasLimit: gas.contract });
  const reason = findRefusal(state, terms.offer);
  return reason === null ? { ok: true, balanceAtomic: state.balanceAtomic } : { ok: false, reason };
}

/** Where `from` did not sign itself it may be a contract wallet, which is asked (ERC-1271). */
async function askWallet(chain: Eip155Chain, payment: Payment, digest: Buffer): Promise<Verdict> {
  const { signature } = payloadOf(payment);
  const isWallet = await chain.reader.hasCode(payment.payer);
  if (!isWallet) {
    const isUndeployed = signature.endsWith(ERC6492_SUFFIX);
    return { ok: false, reason: isUndeployed ? reasons.undeployedWallet : reasons.signature };
  }
  const isValid = await chain.reader.isValidSignature(payment.payer, digest, signature);
  return isValid ? { ok: true } : { ok: false, reason: reasons.signature };
}
