import type { Json } from '#kit/index.ts';
import type { BlockRange, Chain, Network, NetworkFamily } from '../network.ts';
import type { Offer } from '../offer.ts';
import type { Accepted, Payment } from '../payment.ts';
import type { LookedUp, Verdict } from '../verdict.ts';

export interface SignedText {
  message: string;
  signature: string;
  /** Before a contract wallet is asked. */
  mayAskChain(): Promise<boolean>;
}

/**
 * A way to pay on a family of networks: what is offered, what the payer signs, how it is checked and how it moves money.
 * Found by its name and the family of the network. It alone reads the `payload` of its payments.
 */
export interface Scheme<C extends Chain = Chain> {
  /** As x402 writes it, for instance `exact`. */
  name: string;
  family: NetworkFamily<C>;
  /**
   * A payment says the most that it may be charged, and what is charged follows from what was used, as with `upto`. Absent:
   * its whole amount, as with `exact`.
   */
  chargesUse?: true;
  reasons: SchemeReasons;
  /** The parts of an offer that depend on scheme and network. Throws `invalid_input` for a payee that the network has not. */
  offer(network: string, payTo: string): OfferParts;
  /** Strict: what the scheme does not know is refused. `network` is `null` where it is none of the family's. */
  decode(payload: unknown, given: { network: Network | null; accepted?: Accepted | undefined }): DecodedPayload;
  /** Whether asset, payee and `extra` that the client says it accepts are those of our offer. */
  accepts(accepted: Accepted, offer: Offer): boolean;
  /** Whether amount and payee that were signed are those of our offer. */
  isMeantFor(payment: Payment, offer: Offer): boolean;
  /** Whether the payer's own key signed the payment for this offer's asset. Pure and local; `false` is no verdict. */
  isAuthentic(payment: Payment, offer: Offer): boolean;
  /** Whether the wallet signed a message for people to read. Absent where wallets sign none. Rejects as `verify` does. */
  isSignedText?(chain: C, wallet: string, signed: SignedText): Promise<boolean>;
  /** Rejects when the chain cannot tell. */
  verify(chain: C, payment: Payment, terms: Terms): Promise<Verdict>;
  /** The most that the payment can be charged under the offer, in atomic units. */
  exposure(payment: Payment, offer: Offer): bigint;
  /** What has to be executed on the network to charge `offer.amountAtomic`. */
  settleCall(payment: Payment, offer: Offer): SettleCall;
  /** What would come of executing the settle call now. Rejects when the chain cannot tell. */
  simulate(chain: C, payment: Payment, given: { offer: Offer; sender?: Sender }): Promise<Simulated>;
  /** The payment as facilitators get it, in the `payload` of their requests. */
  toFacilitatorPayload(payment: Payment): unknown;
  /** Whether what makes the payment unique is used up, for whatever. One question; rejects when the chain cannot tell. */
  isUsed(chain: C, payment: Payment, offer: Offer): Promise<boolean>;
  /** What the chain says about the payment, whoever sent it. Rejects when the chain cannot tell. */
  lookUp(chain: C, payment: Payment, wanted: Wanted): Promise<LookedUp>;
  /** Whether a transfer is the one that the payment is for. */
  isTransferOf(transfer: Transfer, payment: Payment, offer: Offer): boolean;
  /** The payments of this scheme, in the network's asset, that a receipt shows. */
  readTransfers(network: Network, receipt: unknown): Transfer[];
  /** The payments of this scheme in the blocks given, both included. A transfer that two schemes list is counted twice. */
  listTransfers(chain: C, range: BlockRange): Promise<TransfersOfRange>;
}

/** Reasons of refusals by what they mean, in the words that clients of the scheme match on. */
export interface SchemeReasons {
  /** The network or the asset is not that of the offer. */
  wrongNetwork: string;
  expiresTooSoon: string;
  exceedsBalance: string;
  alreadyUsed: string;
  /** Transactions were mined and did not move the money. */
  transactionFailed: string;
  /** Those that a facilitator finds before it sends anything. All others may come after. */
  beforeSending: ReadonlySet<string>;
}

export interface OfferParts {
  asset: string;
  payTo: string;
  extra: { [name: string]: Json };
}

/** Everything about a payment that its payload tells. */
export type PayloadParts = Pick<
  Payment,
  'asset' | 'payer' | 'uniquenessKey' | 'maxAmountAtomic' | 'expiresAt' | 'payload'
>;

/** `detail` follows the name of the header: which field, and what was expected; nothing that the client invented. */
export type DecodedPayload = { ok: true; parts: PayloadParts } | { ok: false; detail: string };

export interface Terms {
  offer: Offer;
  nowMs: number;
  /** Seconds that the payment must still be valid. */
  marginSeconds: number;
}

/** `data` is encoded as the network has it. */
export interface SettleCall {
  to: string;
  data: string;
  gas: GasLimits;
}

/** `shared`: added to a transaction that holds several calls. `alone`: with one call. `contract`: and a payer with code. */
export interface GasLimits {
  shared: bigint;
  alone: bigint;
  contract: bigint;
}

/**
 * Who would send the transaction, and with what. A hostile wallet answers a simulation otherwise than a transaction where it
 * can tell them apart, so what matters is simulated exactly as it would be sent: with a gas limit, and alone.
 */
export interface Sender {
  from?: string;
  gasLimit?: bigint;
  fees?: { maxFeePerGas: bigint; maxPriorityFeePerGas: bigint };
}

/** `settled`: somebody has sent it already. `unknown`: it was used, and the transaction was not found. */
export type Simulated =
  | { kind: 'payable' }
  | { kind: 'settled'; transaction: string }
  | { kind: 'refused'; reason: string }
  | { kind: 'unknown' };

export interface Wanted {
  offer: Offer;
  nowMs: number;
  /** When the payment was unused yet: the time of its call. */
  since?: Date;
}

/** A transfer that a payment of the scheme caused. All addresses and hashes as the network writes them. */
export interface Transfer {
  transaction: string;
  uniquenessKey: string;
  from: string;
  to: string;
  valueAtomic: bigint;
}

export interface TransfersOfRange {
  transfers: Transfer[];
  /** Seconds since the epoch of the first and the last block. */
  fromTimestamp: number;
  toTimestamp: number;
}
