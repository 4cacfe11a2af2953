/**
 * Money: what is offered, the 402 that says so, reading and checking a payment, settling it, and the ledger.
 * Invariants: a payment is matched against our own offers, never against what the client says it accepts; a claim is
 * held by one call; a settlement that may have been broadcast is `unknown` until the chain tells, never `refused`;
 * every ledger entry has its counter-entry.
 */
export { buildChallenge, withReason } from './challenge.ts';
export type { Challenge } from './challenge.ts';
export { checkPayTo } from './check-pay-to.ts';
export { claimPayment, findHolder } from './claim.ts';
export type { HeldCall } from './claim.ts';
export { isAuthentic } from './is-authentic.ts';
export { networks } from './networks.ts';
export { buildOffer, matchOffer } from './offer.ts';
export type { Offer } from './offer.ts';
export { lookupSettlement } from './lookup-settlement.ts';
export { openPayments } from './open-payments.ts';
export type { Payments, PaymentsOptions } from './open-payments.ts';
export type { Payment } from './payment.ts';
export { reconcileLedger } from './reconcile-ledger.ts';
export { recordEntries } from './record-entries.ts';
export type { LedgerInput } from './record-entries.ts';
export { settlePayment } from './settle-payment.ts';
export { toSettlerAddress } from './settlers/sign-transaction.ts';
export { verifyPayment } from './verify-payment.ts';
export { watchLedger } from './watch-ledger.ts';
export { decodePayment } from './wire/decode-payment.ts';
export { toSettlementHeader } from './wire/to-settlement-header.ts';
export type { Verdict } from './verdict.ts';
