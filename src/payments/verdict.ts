/**
 * Whether a payment may be taken. `reason` is one of the strings of the x402 SDK. `retryable` means that the chain
 * could not be asked: the payment was not refused, the same one may be tried again. `balanceAtomic` is the payer's, where
 * it was read.
 */
export type Verdict = { ok: true; balanceAtomic?: bigint } | { ok: false; reason: string; retryable?: boolean };

/**
 * What became of the money. `refused`: it did not move and nothing that we sent can still move it.
 * `unknown`: something may have been sent; ask `lookupSettlement` later, never sign or charge anew.
 * `reverted`: so many transactions were mined for this payment alone without moving the money.
 */
export type Settlement =
  | { status: 'settled'; transaction: string; network: string }
  | { status: 'refused'; reason: string; reverted?: number }
  | { status: 'unknown'; reason: string; reverted?: number };

/**
 * What became of a payment, whoever sent it. `expired`: it can never be paid any more (too late, cancelled, or what makes it
 * unique went to another transfer). `untraced`: it was used, and not in the time that was searched. `unknown`: the network
 * could not tell.
 */
export type LookedUp =
  | { status: 'settled'; transaction: string }
  | { status: 'unused' }
  | { status: 'expired'; reason: string }
  | { status: 'untraced' }
  | { status: 'unknown' };

/**
 * Whether somebody has used a payment. `settled`: for its own transfer, made at `atMs`. `spent`: for something else, or it
 * was cancelled. `untraced` and `unknown` as above.
 */
export type Use =
  | { status: 'unused' | 'spent' | 'untraced' | 'unknown' }
  | { status: 'settled'; transaction: string; atMs: number };
