import { canonicalJson } from '#kit/index.ts';
import type { Echoed } from './wire/buyer-secret.ts';

/**
 * A payment whose shape its scheme has checked and nothing else. `network`, `asset`, `payer` and `uniquenessKey` together
 * are its identity: what may be claimed and paid once.
 */
export interface Payment {
  x402Version: 1 | 2;
  scheme: string;
  /** CAIP-2, or the name that the client wrote where version 1 has no such network (no offer matches it). */
  network: string;
  /** As the network writes it, in lower case on EVM. */
  asset: string;
  /** Lower case on EVM. */
  payer: string;
  /** What makes two payments of one payer different: as a rule a random number that the payer signed. */
  uniquenessKey: string;
  /** The most that the payer has signed for. */
  maxAmountAtomic: bigint;
  /** Seconds since the epoch, at most the end of the year 9999. */
  expiresAt: number;
  /** What the payer signed. Plain JSON; only the payment's scheme reads it. */
  payload: unknown;
  /** Version 2: the offer that the client says it accepts. Never trusted, only compared. */
  accepted?: Accepted;
  /** Version 2: what of the header the chain never shows. Not stored. */
  echoed?: Echoed;
  /** The header without what shows its sender to be the buyer, for facilitators. */
  raw: string;
}

export interface Accepted {
  scheme: string;
  network: string;
  amount: string;
  asset: string;
  payTo: string;
  maxTimeoutSeconds: number;
  extra?: Record<string, unknown> | null | undefined;
}

/**
 * Whether two payments are one and the same, signature included: payer and uniqueness key of a settled payment are public,
 * so they alone do not show that somebody holds it. A stored payment whose payload was deleted is the same as no other.
 */
export function isSamePayment(a: { scheme: string; payload?: unknown }, b: Payment): boolean {
  return a.scheme === b.scheme && isPresent(a.payload) && canonicalJson(a.payload) === canonicalJson(b.payload);
}

/** Differs for payments that differ in anything that was signed or is to be paid. */
export function toPaymentKey(payment: Payment, offer: { payTo: string; amountAtomic: bigint }): string {
  const { scheme, network, asset, payer, uniquenessKey, payload } = payment;
  return [scheme, network, asset, payer, uniquenessKey, offer.payTo, offer.amountAtomic, canonicalJson(payload)].join(
    ' ',
  );
}

function isPresent(payload: unknown): boolean {
  return payload !== undefined && payload !== null;
}
