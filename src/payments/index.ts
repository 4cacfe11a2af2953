/**
 * Money: what is offered, the 402 that says so, reading and checking a payment, settling it, and the ledger.
 * How one pays is a scheme (`schemes/`), how money moves a settler (`settlers/`); only a payment's scheme reads its payload.
 * Invariants: a payment is matched against our own offers, never against what the client says it accepts; a settlement
 * that may have been broadcast is `unknown` until the chain tells, never `refused`; every ledger entry has its
 * counter-entry.
 */
export { buildOffer } from './build-offer.ts';
export { buildChallenge, toChallengeAnswer } from './challenge.ts';
export type { Challenge, InputPrice } from './challenge.ts';
export { checkSignIn } from './check-sign-in.ts';
export { checkPayTo } from './check-pay-to.ts';
export { exposureOf } from './exposure-of.ts';
export type { SchemeList } from './find-scheme.ts';
export { findUse } from './find-use.ts';
export { isMeantFor } from './is-meant-for.ts';
export { isPaidBy } from './is-paid-by.ts';
export { isAuthentic } from './is-authentic.ts';
export { listGas } from './list-gas.ts';
export { listPayable } from './list-payable.ts';
export { lookupSettlement } from './lookup-settlement.ts';
export { networks } from './networks.ts';
export { matchOffer } from './match-offer.ts';
export type { Offer } from './offer.ts';
export { openPayments } from './open-payments.ts';
export type { Payments, PaymentsOptions } from './open-payments.ts';
export { isSamePayment } from './payment.ts';
export type { Payment } from './payment.ts';
export { reasonsOf } from './reasons-of.ts';
export { recordEntries, toStoredAddress } from './record-entries.ts';
export type { LedgerInput } from './record-entries.ts';
export { exactEip155 } from './schemes/exact-eip155/exact-eip155.ts';
export type { Scheme, Transfer } from './schemes/scheme.ts';
export { settlePayment } from './settle-payment.ts';
export { toSettlerAddress } from './settlers/eip155/sign-transaction.ts';
export { openEmbeddedSettlers } from './settlers/embedded-settler.ts';
export { openFacilitatorSettlers } from './settlers/facilitator-settler.ts';
export type { Settler, SettlerDeps } from './settlers/settler.ts';
export { fromStoredOffer, fromStoredPayment, toStoredOffer, toStoredPayment } from './stored-payment.ts';
export type { StoredOffer, StoredPayment } from './stored-payment.ts';
export { verifyPayment } from './verify-payment.ts';
export { watchLedger } from './watch-ledger.ts';
export { newSecret } from './wire/buyer-secret.ts';
export type { WatchedCalls } from './watch-ledger.ts';
export { decodePayment } from './wire/decode-payment.ts';
export { toSettlementHeader } from './wire/to-settlement-header.ts';
export type { Use, Verdict } from './verdict.ts';
export { declareSignIn, SIGN_IN_HEADER, SIGN_IN_WITH_X } from './wire/sign-in-with-x.ts';
