import type { Offer } from './offer.ts';
import type { Payment } from './payment.ts';
import { isSignedByPayer, toDigest } from './schemes/exact-eip3009.ts';

/**
 * Did the payer's own key sign this payment for this offer's token? Pure arithmetic, no chain. `false` is no verdict:
 * a contract wallet signs otherwise, and only `verifyPayment` can ask it.
 */
export function isAuthentic(payment: Payment, offer: Offer): boolean {
  return isSignedByPayer(payment, toDigest(payment, offer));
}
