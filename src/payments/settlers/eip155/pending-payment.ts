import { setTimeout as wait } from 'node:timers/promises';
import type { Offer } from '../../offer.ts';
import { toPaymentKey, type Payment } from '../../payment.ts';
import { reasons } from '../../reasons.ts';
import type { Scheme, SettleCall, Simulated } from '../../schemes/scheme.ts';
import type { SettlerOutcome } from '../settler.ts';
import type { Eip155Chain } from './chain.ts';
import { readFees } from './fees.ts';

/** A payment that the embedded settler has taken and not yet decided. */
export interface PendingPayment {
  scheme: Scheme;
  payment: Payment;
  offer: Offer;
  call: SettleCall;
  /** A wallet with code can burn the gas of a shared transaction, so it gets one of its own. */
  needsOwnTransaction: boolean;
  /** Something that can move the money may have been sent. */
  isSent: boolean;
  attempts: number;
  /** Transactions for this payment alone that were mined without moving the money: their gas is lost. */
  reverted: number;
  isDecided: boolean;
  decision: Promise<SettlerOutcome>;
  /** Only the first decision counts. */
  decide(outcome: SettlerOutcome): void;
}

/** Of transactions for one payment; then it is refused. */
const MAX_REVERTED = 2;
const READ_ATTEMPTS = 3;
const READ_PAUSE_MS = 100;

interface Taken {
  scheme: Scheme;
  payment: Payment;
  offer: Offer;
}

/** One pending payment per payment: settling it again joins what is under way. */
export function openPendingPayments(enqueue: (pending: PendingPayment) => void) {
  const open = new Map<string, PendingPayment>();
  return (taken: Taken): PendingPayment => {
    const key = toPaymentKey(taken.payment, taken.offer);
    const known = open.get(key);
    if (known) {
      return known;
    }
    const pending = openPendingPayment(taken, () => open.delete(key));
    open.set(key, pending);
    enqueue(pending);
    return pending;
  };
}

function openPendingPayment(taken: Taken, onDecided: () => void): PendingPayment {
  const { promise, resolve } = Promise.withResolvers<SettlerOutcome>();
  const pending: PendingPayment = {
    ...taken,
    call: taken.scheme.settleCall(taken.payment, taken.offer),
    needsOwnTransaction: false,
    isSent: false,
    attempts: 0,
    reverted: 0,
    isDecided: false,
    decision: promise,
    decide: (outcome) => {
      if (!pending.isDecided) {
        pending.isDecided = true;
        onDecided();
        resolve(withReverted(pending, outcome));
      }
    },
  };
  return pending;
}

/** Tells beside an outcome without money how many transactions were spent on it. */
export function withReverted(pending: Pick<PendingPayment, 'reverted'>, outcome: SettlerOutcome): SettlerOutcome {
  const isSpent = pending.reverted > 0 && (outcome.status === 'refused' || outcome.status === 'unknown');
  return isSpent ? { ...outcome, reverted: pending.reverted } : outcome;
}

/**
 * Asks the chain before a nonce of `from` is used for it; `false` when there is nothing to send (the payment is then
 * decided).
 */
export async function preparePayment(chain: Eip155Chain, pending: PendingPayment, from: string): Promise<boolean> {
  try {
    const simulated = await retryRead(() => simulate(chain, pending, from));
    if (simulated.kind === 'payable') {
      return true;
    }
    pending.decide(toOutcome(chain, simulated));
  } catch {
    pending.decide(
      pending.isSent
        ? { status: 'unknown', reason: reasons.pending }
        : { status: 'unavailable', reason: 'cannot_reach_chain' },
    );
  }
  return false;
}

/** A payer with code runs it in the transfer: what it does there is simulated exactly as it would be sent. */
async function simulate(chain: Eip155Chain, pending: PendingPayment, from: string): Promise<Simulated> {
  const { scheme, payment, offer, call } = pending;
  const [simulated, hasCode] = await Promise.all([
    scheme.simulate(chain, payment, { offer, sender: { from } }),
    chain.reader.hasCode(payment.payer),
  ]);
  pending.needsOwnTransaction ||= hasCode;
  if (!hasCode || simulated.kind !== 'payable') {
    return simulated;
  }
  const sender = { from, gasLimit: call.gas.contract, fees: await readFees(chain) };
  return scheme.simulate(chain, payment, { offer, sender });
}

/**
 * Decides by the transfers that the receipt shows; where they hold none of this payment, by what the chain says now. A
 * payment that had a transaction to itself, and would go through now, is refused when that has happened too often: a wallet
 * can tell simulations apart, and none of its transactions can be mined any more.
 */
export async function decideByReceipt(
  chain: Eip155Chain,
  pending: PendingPayment,
  mined: { receipt: Record<string, unknown>; isOwn: boolean },
): Promise<void> {
  const { scheme, payment, offer } = pending;
  const transfers = scheme.readTransfers(chain.network, mined.receipt);
  const own = transfers.find((transfer) => scheme.isTransferOf(transfer, payment, offer));
  if (own) {
    pending.decide(settled(chain, own.transaction));
    return;
  }
  pending.reverted += mined.isOwn ? 1 : 0;
  try {
    const simulated = await retryRead(() => scheme.simulate(chain, payment, { offer }));
    if (simulated.kind !== 'payable') {
      pending.decide(toOutcome(chain, simulated));
    } else if (pending.reverted >= MAX_REVERTED) {
      pending.decide({ status: 'refused', reason: scheme.reasons.transactionFailed });
    }
  } catch {
    pending.decide({ status: 'unknown', reason: reasons.pending });
  }
}

function toOutcome(
  chain: Eip155Chain,
  simulated: Simulated & { kind: 'settled' | 'refused' | 'unknown' },
): SettlerOutcome {
  switch (simulated.kind) {
    case 'settled':
      return settled(chain, simulated.transaction);
    case 'refused':
      return { status: 'refused', reason: simulated.reason };
    case 'unknown':
      return { status: 'unknown', reason: reasons.pending };
  }
}

function settled(chain: Eip155Chain, transaction: string): SettlerOutcome {
  return { status: 'settled', transaction, network: chain.network.caip2 };
}

async function retryRead<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read();
    } catch (error) {
      if (attempt === READ_ATTEMPTS) {
        throw error;
      }
      await wait(READ_PAUSE_MS * attempt);
    }
  }
}
