/**
 * Whether a payment may be taken. `reason` is one of the strings of the x402 SDK. `retryable` means that the chain
 * could not be asked: the payment was not refused, the same one may be tried again.
 */
export type Verdict = { ok: true } | { ok: false; reason: string; retryable?: boolean };

/**
 * What became of the money. `refused`: it did not move and nothing that we sent can still move it.
 * `unknown`: something may have been sent; ask `lookupSettlement` later, never sign or charge anew.
 */
export type Settlement =
  | { status: 'settled'; transaction: string; network: string }
  | { status: 'refused'; reason: string }
  | { status: 'unknown'; reason: string };
