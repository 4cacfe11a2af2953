import { getScheme, type SchemeList } from './find-scheme.ts';
import type { Offer } from './offer.ts';
import type { Payment } from './payment.ts';

/** The most that the payment can be charged under the offer: what the payer's balance must cover while it is open. */
export function exposureOf(list: SchemeList, payment: Payment, offer: Offer): bigint {
  return getScheme(list, offer).exposure(payment, offer);
}
