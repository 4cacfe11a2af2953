import { findScheme } from './find-scheme.ts';
import type { Offer } from './offer.ts';
import type { Payments } from './open-payments.ts';
import type { Payment } from './payment.ts';
import { reasons } from './reasons.ts';
import type { Verdict } from './verdict.ts';

/**
 * The scheme checks what was signed against our offer, and asks the chain what only it knows. Where the chain cannot be
 * asked, a settler that sees it otherwise may be.
 */
export async function verifyPayment(payments: Payments, payment: Payment, offer: Offer): Promise<Verdict> {
  const scheme = findScheme(payments, offer);
  if (!scheme) {
    return { ok: false, reason: reasons.unknownScheme };
  }
  const chain = payments.chains.get(offer.network);
  if (!chain || payment.network !== offer.network || chain.network.asset.address !== offer.asset) {
    return { ok: false, reason: scheme.reasons.wrongNetwork };
  }
  const terms = { offer, nowMs: payments.clock.now(), marginSeconds: payments.marginSeconds };
  try {
    return await scheme.verify(chain, payment, terms);
  } catch (error) {
    payments.log.warn({ err: error, network: offer.network }, 'the chain could not be asked about a payment');
    return verifyElsewhere(payments, payment, offer);
  }
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
