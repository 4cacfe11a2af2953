import { getScheme, type SchemeList } from './find-scheme.ts';
import type { Offer } from './offer.ts';
import type { Payment } from './payment.ts';

/** Did the payer sign amount and payee of this offer? Pure and local. */
export function isMeantFor(list: SchemeList, payment: Payment, offer: Offer): boolean {
  return getScheme(list, offer).isMeantFor(payment, offer);
}
