import { getScheme, type SchemeList } from './find-scheme.ts';
import type { Offer } from './offer.ts';
import type { Payment } from './payment.ts';

/**
 * The offer of ours that the payment is for. Version 2 names it field by field; version 1 names only scheme and
 * network, so the one whose amount and payee were signed is taken, or else the first of that network, which
 * verification then refuses with the exact reason.
 */
export function matchOffer(list: SchemeList, payment: Payment, offers: readonly Offer[]): Offer | null {
  const candidates = offers.filter(
    (offer) =>
      offer.scheme === payment.scheme && offer.network === payment.network && matchesAccepted(list, payment, offer),
  );
  return candidates.find((offer) => getScheme(list, offer).isMeantFor(payment, offer)) ?? candidates[0] ?? null;
}

function matchesAccepted(list: SchemeList, payment: Payment, offer: Offer): boolean {
  const { accepted } = payment;
  if (payment.x402Version === 1) {
    return true;
  }
  return (
    accepted !== undefined &&
    accepted.scheme === offer.scheme &&
    accepted.network === offer.network &&
    accepted.amount === offer.amountAtomic.toString() &&
    accepted.maxTimeoutSeconds === offer.maxTimeoutSeconds &&
    acceptsFlow(accepted.extra?.['paymentFlow'], offer) &&
    getScheme(list, offer).accepts(accepted, offer)
  );
}

/** Clients that know of flows echo ours; older ones say nothing, and mean any. */
function acceptsFlow(flow: unknown, offer: Offer): boolean {
  return flow === undefined || flow === (offer.paymentFlow ?? 'authorization');
}
