import { getScheme, type SchemeList } from './find-scheme.ts';
import type { Offer } from './offer.ts';
import type { Payment } from './payment.ts';

/**
 * Did the payer's own key sign this payment for this offer's asset? Pure arithmetic, no chain. `false` is no verdict:
 * a contract wallet signs otherwise, and only `verifyPayment` can ask it.
 */
export function isAuthentic(list: SchemeList, payment: Payment, offer: Offer): boolean {
  return getScheme(list, offer).isAuthentic(payment, offer);
}
