/**
 * How much is done for a payment before its money moves. Counted together are calls that are open on trust and those
 * that went unpaid within a day; beyond any of these a call is settled before it runs (docs/decisions/0023).
 */
export const trustLimits = {
  /** Of a wallet: one more than it has paid for and been answered by this creator, and never more than this. */
  callsPerWallet: 8,
  /** Of all wallets together that come from one network and have paid this creator nothing yet. */
  newcomersPerClient: 3,
  /** Of a creator who has chosen nothing. */
  usdPerDay: '5',
  /** The part of it that one resource may use up. */
  shareOfResource: '0.5',
} as const;

/** Transactions that were mined and moved nothing cost the settler its gas. Within a day; then nothing is sent any more. */
export const gasLimits = {
  revertedPerWallet: 4,
  /** Of wallets that have paid this creator nothing yet; stops contract wallets only. */
  revertedPerClient: 8,
} as const;

/** Refused payments take a row and a look at the chain each. Within a minute. */
export const refusalLimits = {
  perWallet: 20,
  /** Of wallets that have paid nobody here yet. */
  perClient: 60,
  seconds: 60,
} as const;
