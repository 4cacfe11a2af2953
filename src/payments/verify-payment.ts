import { isSameAddress, type Offer } from './offer.ts';
import type { Payments } from './open-payments.ts';
import type { Payment } from './payment.ts';
import { checkTerms, isSignedByPayer, reasons, toDigest } from './schemes/exact-eip3009.ts';
import type { Chain } from './settlers/chain.ts';
import { GAS } from './settlers/gas.ts';
import { judgeInspection } from './settlers/judge-inspection.ts';
import type { Verdict } from './verdict.ts';

/** The end of an ERC-6492 signature: a wallet that is not deployed yet, with a call that would deploy it. */
const ERC6492_SUFFIX = '6492'.repeat(16);

/**
 * Signature, payee, window and amount are checked here; nonce, balance and a simulated transfer by one batched read of
 * the chain. Order and reasons are the SDK's, so that buyers see the same refusal everywhere.
 */
export async function verifyPayment(payments: Payments, payment: Payment, offer: Offer): Promise<Verdict> {
  const chain = payments.chains.get(offer.network);
  if (!chain || payment.network !== offer.network || !isSameAddress(chain.network.asset.address, offer.asset)) {
    return { ok: false, reason: reasons.network };
  }
  try {
    return await verifyOnChain(payments, chain, { payment, offer });
  } catch (error) {
    payments.log.warn({ err: error, network: offer.network }, 'the chain could not be asked about a payment');
    return verifyElsewhere(payments, payment, offer);
  }
}

async function verifyOnChain(
  payments: Payments,
  chain: Chain,
  { payment, offer }: { payment: Payment; offer: Offer },
): Promise<Verdict> {
  const digest = toDigest(payment, offer);
  const isOwn = isSignedByPayer(payment, digest);
  const signed: Verdict = isOwn ? { ok: true } : await askWallet(chain, payment, digest);
  if (!signed.ok) {
    return signed;
  }
  const terms = checkTerms(payment, offer, { nowMs: payments.clock.now(), marginSeconds: payments.marginSeconds });
  if (!terms.ok) {
    return terms;
  }
  // The code of a contract wallet runs in the transfer, so it is tried with the gas that the transaction would have.
  const inspection = await chain.reader.inspect(payment, isOwn ? {} : { gasLimit: GAS.wallet });
  const reason = judgeInspection(inspection, offer);
  return reason === null ? { ok: true, balanceAtomic: inspection.balanceAtomic } : { ok: false, reason };
}

/** Where `from` did not sign itself it may be a contract wallet, which is asked (ERC-1271). */
async function askWallet(chain: Chain, payment: Payment, digest: Buffer): Promise<Verdict> {
  const isWallet = await chain.reader.hasCode(payment.payer);
  if (!isWallet) {
    const isUndeployed = payment.signature.endsWith(ERC6492_SUFFIX);
    return { ok: false, reason: isUndeployed ? reasons.undeployedWallet : reasons.signature };
  }
  const isValid = await chain.reader.isValidSignature(payment.payer, digest, payment.signature);
  return isValid ? { ok: true } : { ok: false, reason: reasons.signature };
}

/** A remote facilitator sees the chain through another node. */
async function verifyElsewhere(payments: Payments, payment: Payment, offer: Offer): Promise<Verdict> {
  const settlers = payments.settlers.filter((settler) => settler.verify && settler.supports(offer.network));
  for (const settler of settlers) {
    const verdict = await settler.verify?.(payment, offer);
    if (verdict && (verdict.ok || !verdict.retryable)) {
      return verdict;
    }
  }
  return { ok: false, reason: reasons.cannotVerify, retryable: true };
}
