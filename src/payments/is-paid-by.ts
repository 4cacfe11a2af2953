import { getScheme, type SchemeList } from './find-scheme.ts';
import type { Offer } from './offer.ts';
import type { Payment } from './payment.ts';
import type { Transfer } from './schemes/scheme.ts';

/** Whether a transfer is the one that the payment was signed for, under an offer of ours. */
export function isPaidBy(list: SchemeList, transfer: Transfer, given: { payment: Payment; offer: Offer }): boolean {
  return getScheme(list, given.offer).isTransferOf(transfer, given.payment, given.offer);
}
