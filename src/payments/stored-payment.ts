import { toWireExtra, type Offer } from './offer.ts';
import type { Payment } from './payment.ts';

/** A payment as JSON. What may be deleted after its retention (`payload`, `raw`) is optional. */
export type StoredPayment = Omit<Payment, 'maxAmountAtomic' | 'payload' | 'raw' | 'echoed'> & {
  maxAmountAtomic: string;
  payload?: unknown;
  raw?: string;
};

export type StoredOffer = Omit<Offer, 'amountAtomic'> & { amountAtomic: string };

/** Of what the client claims to accept only the parts that were compared with our offer: the rest may be anything. */
export function toStoredPayment(payment: Payment, offer: Offer): StoredPayment {
  const { echoed: _, ...kept } = payment;
  const stored = { ...kept, maxAmountAtomic: payment.maxAmountAtomic.toString() };
  return payment.accepted ? { ...stored, accepted: { ...payment.accepted, extra: toWireExtra(offer) } } : stored;
}

export function fromStoredPayment(stored: StoredPayment): Payment {
  return {
    ...stored,
    maxAmountAtomic: BigInt(stored.maxAmountAtomic),
    payload: stored.payload ?? null,
    raw: stored.raw ?? '',
  };
}

export function toStoredOffer(offer: Offer): StoredOffer {
  return { ...offer, amountAtomic: offer.amountAtomic.toString() };
}

export function fromStoredOffer(stored: StoredOffer): Offer {
  return { ...stored, amountAtomic: BigInt(stored.amountAtomic) };
}
