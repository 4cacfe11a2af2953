import type { Offer } from './offer.ts';
import type { Payments } from './open-payments.ts';
import { toPaymentKey, type Payment } from './payment.ts';
import type { Settlement } from './verdict.ts';

/**
 * Settles with the first settler of the network that can; the next one is asked only when the one before certainly
 * sent nothing. When none can, the outcome is `unknown`: the payment stays good and may be settled later.
 * `offer.amountAtomic` is what is charged.
 */
export function settlePayment(payments: Payments, payment: Payment, offer: Offer): Promise<Settlement> {
  const key = toPaymentKey(payment, offer);
  const underWay = payments.settling.get(key);
  if (underWay) {
    return underWay;
  }
  const settlement = settleInOrder(payments, payment, offer).finally(() => payments.settling.delete(key));
  payments.settling.set(key, settlement);
  return settlement;
}

async function settleInOrder(payments: Payments, payment: Payment, offer: Offer): Promise<Settlement> {
  let reason = 'settler_unavailable';
  for (const settler of payments.settlers.filter((candidate) => candidate.supports(offer.network))) {
    const outcome = await settler.settle(payment, offer);
    if (outcome.status !== 'unavailable') {
      return outcome;
    }
    payments.log.warn({ settler: settler.name, reason: outcome.reason }, 'settler is not available');
    reason = outcome.reason;
  }
  return { status: 'unknown', reason };
}
