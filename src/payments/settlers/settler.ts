import type { Offer } from '../offer.ts';
import type { Payment } from '../payment.ts';
import type { Settlement, Verdict } from '../verdict.ts';

/** `unavailable`: certainly nothing was sent, so another settler may try. */
export type SettlerOutcome = Settlement | { status: 'unavailable'; reason: string };

export type SettlerReadiness = { ready: true } | { ready: false; cause: string };

/**
 * Puts payments on the chain. Settling the same payment again is safe: the token lets a nonce move money once.
 * `refused` only when nothing that this settler sent can still move the money; never rejects.
 */
export interface Settler {
  name: string;
  supports(network: string): boolean;
  settle(payment: Payment, offer: Offer): Promise<SettlerOutcome>;
  /** The longest that settle() takes to answer. */
  limitMs: number;
  /** Asked only when the chain itself cannot be reached. */
  verify?(payment: Payment, offer: Offer): Promise<Verdict>;
  checkReady(network: string): Promise<SettlerReadiness>;
  stop?(): Promise<void>;
}

/** The little of a logger that payments need. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
