import type { Clock, Log } from '#kit/index.ts';
import type { SchemeList } from '../find-scheme.ts';
import type { Chain } from '../network.ts';
import type { Offer } from '../offer.ts';
import type { Payment } from '../payment.ts';
import type { Settlement, Verdict } from '../verdict.ts';

/** `unavailable`: certainly nothing was sent, so another settler may try. */
export type SettlerOutcome = Settlement | { status: 'unavailable'; reason: string };

export type SettlerReadiness = { ready: true } | { ready: false; cause: string };

export interface GasReserve {
  network: string;
  addresses: readonly string[];
  /** About how many settlements the richest of them pays for at what gas costs now. */
  settlements: number;
}

/**
 * Makes payments happen on their network. Knows no scheme: what is to be executed or sent is told by the payment's own.
 * Settling the same payment again is safe: the network lets it move money once. `refused` only when nothing that this
 * settler sent can still move the money; never rejects. `offer.amountAtomic` is what is charged.
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
  /** What is left for gas. Absent: it pays none of its own. Null: it could not be asked. */
  readGas?(): Promise<GasReserve | null>;
  stop?(): Promise<void>;
}

/** What settlers are opened with. */
export interface SettlerDeps extends SchemeList {
  /** By CAIP-2 name. */
  chains: ReadonlyMap<string, Chain>;
  facilitatorUrls: readonly string[];
  settlerPrivateKeys: readonly string[];
  facilitatorTimeoutMs?: number | undefined;
  clock: Clock;
  log: Log;
}
