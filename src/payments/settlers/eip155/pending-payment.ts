import { setTimeout as wait } from 'node:timers/promises';
import type { Offer } from '../offer.ts';
import type { Payment } from '../payment.ts';
import { reasons } from '../schemes/exact-eip3009.ts';
import type { Chain } from './chain.ts';
import type { Inspection, Sender } from './chain-reader.ts';
import { findTransfer, isTransferOf } from './find-transfer.ts';
import { readFees } from './fees.ts';
import { GAS } from './gas.ts';
import { judgeInspection } from './judge-inspection.ts';
import type { SettlerOutcome } from './settler.ts';
import { toReason } from './to-reason.ts';
import { pairTransfers, toLogs } from './transfers.ts';

/** A payment on its way through the embedded settler. */
export interface Parcel {
  payment: Payment;
  offer: Offer;
  /** A wallet with code can burn the gas of a shared transaction, so it gets one of its own. */
  isAlone: boolean;
  /** Something that can move the money may have left. */
  isSent: boolean;
  attempts: number;
  /** Transactions for this payment alone that were mined without moving the money: gas that nobody gives back. */
  reverted: number;
  isDecided: boolean;
  decision: Promise<SettlerOutcome>;
  /** Only the first decision counts. */
  decide(outcome: SettlerOutcome): void;
}

/** Of transactions for one authorisation; then it is refused. */
const MAX_REVERTED = 2;
const READ_ATTEMPTS = 3;
const READ_PAUSE_MS = 100;

export function openParcel(payment: Payment, offer: Offer, onDecided: () => void): Parcel {
  const { promise, resolve } = Promise.withResolvers<SettlerOutcome>();
  const parcel: Parcel = {
    payment,
    offer,
    isAlone: false,
    isSent: false,
    attempts: 0,
    reverted: 0,
    isDecided: false,
    decision: promise,
    decide: (outcome) => {
      if (!parcel.isDecided) {
        parcel.isDecided = true;
        onDecided();
        resolve(withReverted(parcel, outcome));
      }
    },
  };
  return parcel;
}

/** Tells beside an outcome without money how many transactions were spent on it. */
export function withReverted(parcel: Pick<Parcel, 'reverted'>, outcome: SettlerOutcome): SettlerOutcome {
  const isSpent = parcel.reverted > 0 && (outcome.status === 'refused' || outcome.status === 'unknown');
  return isSpent ? { ...outcome, reverted: parcel.reverted } : outcome;
}

/**
 * Asks the chain before a nonce of `from` is taken for it; `false` when there is nothing to send (the parcel is then
 * decided).
 */
export async function prepareParcel(chain: Chain, parcel: Parcel, from: string): Promise<boolean> {
  try {
    const inspection = await again(() => inspectParcel(chain, parcel, from));
    if (judgeInspection(inspection, parcel.offer) === null) {
      return true;
    }
    parcel.decide(await explain(chain, parcel, inspection));
  } catch {
    parcel.decide(
      parcel.isSent
        ? { status: 'unknown', reason: reasons.pending }
        : { status: 'unavailable', reason: 'cannot_reach_chain' },
    );
  }
  return false;
}

/** A payer with code runs it in the transfer: what it does there is simulated exactly as it would be sent. */
async function inspectParcel(chain: Chain, parcel: Parcel, from: string): Promise<Inspection> {
  const { payment, offer } = parcel;
  const [inspection, hasCode] = await Promise.all([
    chain.reader.inspect(payment, { from }),
    chain.reader.hasCode(payment.payer),
  ]);
  parcel.isAlone ||= hasCode;
  if (!hasCode || judgeInspection(inspection, offer) !== null) {
    return inspection;
  }
  const sender: Sender = { from, gasLimit: GAS.wallet, fees: await readFees(chain) };
  return chain.reader.inspect(payment, sender);
}

/**
 * Decides by the logs of the receipt; where they hold no transfer, by what the chain says now. A payment that had a
 * transaction to itself, and would go through now, is given up when that has happened too often: a wallet can tell
 * simulations apart, and none of its transactions is outstanding any more.
 */
export async function closeReceipt(
  chain: Chain,
  parcel: Parcel,
  mined: { receipt: Record<string, unknown>; isLone: boolean },
): Promise<void> {
  const { receipt, isLone } = mined;
  const transfers = pairTransfers(toLogs(receipt['logs'], parcel.offer.asset));
  const own = transfers.find((transfer) => isTransferOf(transfer, parcel.payment, parcel.offer));
  if (own) {
    parcel.decide(settled(chain, own.transaction));
    return;
  }
  parcel.reverted += isLone ? 1 : 0;
  try {
    const inspection = await again(() => chain.reader.inspect(parcel.payment));
    if (judgeInspection(inspection, parcel.offer) !== null) {
      parcel.decide(await explain(chain, parcel, inspection));
    } else if (parcel.reverted >= MAX_REVERTED) {
      parcel.decide({ status: 'refused', reason: reasons.transaction });
    }
  } catch {
    parcel.decide({ status: 'unknown', reason: reasons.pending });
  }
}

/** Paid by whomever: a used nonce with our transfer behind it is a settlement, otherwise the chain's reason stands. */
async function explain(chain: Chain, parcel: Parcel, inspection: Inspection): Promise<SettlerOutcome> {
  if (!inspection.isUsed) {
    const reason = judgeInspection(inspection, parcel.offer) ?? reasons.transaction;
    return { status: 'refused', reason: toReason(inspection.revert ?? '') ?? reason };
  }
  const found = await again(() => findTransfer(chain.rpc, parcel.payment, { offer: parcel.offer }));
  switch (found.kind) {
    case 'transferred':
      return settled(chain, found.transaction);
    case 'spent':
      return { status: 'refused', reason: reasons.nonceUsed };
    case 'not_found':
      return { status: 'unknown', reason: reasons.pending };
  }
}

function settled(chain: Chain, transaction: string): SettlerOutcome {
  return { status: 'settled', transaction, network: chain.network.caip2 };
}

async function again<T>(read: () => Promise<T>): Promise<T> {
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
