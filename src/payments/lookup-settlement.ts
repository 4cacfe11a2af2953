import { findScheme } from './find-scheme.ts';
import type { Offer } from './offer.ts';
import type { Payments } from './open-payments.ts';
import type { Payment } from './payment.ts';
import type { LookedUp } from './verdict.ts';

interface LookedFor {
  offer: Offer;
  /** When the payment was unused yet: the time of its call. */
  since?: Date;
}

/** What the chain says about a payment, whoever sent it: a payment that somebody else broadcast is paid. */
export async function lookupSettlement(payments: Payments, payment: Payment, wanted: LookedFor): Promise<LookedUp> {
  const { offer } = wanted;
  const scheme = findScheme(payments, offer);
  const chain = payments.chains.get(offer.network);
  if (!scheme || !chain) {
    return { status: 'unknown' };
  }
  try {
    return await scheme.lookUp(chain, payment, { ...wanted, nowMs: payments.clock.now() });
  } catch (error) {
    payments.log.warn({ err: error, network: offer.network }, 'the chain could not be asked about a settlement');
    return { status: 'unknown' };
  }
}
