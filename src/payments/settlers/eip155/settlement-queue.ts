import type { Log } from '#kit/index.ts';
import { reasons } from '../../reasons.ts';
import type { SettlerOutcome } from '../settler.ts';
import { encodeAggregate3, MULTICALL3 } from './call-data.ts';
import type { Eip155Chain } from './chain.ts';
import { decideByReceipt, preparePayment, type PendingPayment } from './pending-payment.ts';
import type { MakeRequest, SendResult, TransactionSender } from './transaction-sender.ts';

/** Gives pending payments to senders: a free sender takes all that were queued while it and the others were busy. */
export interface SettlementQueue {
  enqueue(payments: readonly PendingPayment[]): void;
  /** Takes out a payment whose settle() has timed out. */
  withdraw(pending: PendingPayment): void;
  stop(): Promise<void>;
}

interface QueueState {
  chain: Eip155Chain;
  senders: readonly TransactionSender[];
  log: Log;
  free: TransactionSender[];
  queue: PendingPayment[];
  running: Set<Promise<void>>;
  isStopped: boolean;
}

const MAX_BATCH = 100;
const MAX_ATTEMPTS = 3;
/** What Multicall3 itself needs beside the calls. */
const BATCH_GAS = 80_000n;
export const unknown: SettlerOutcome = { status: 'unknown', reason: reasons.pending };

export function unavailable(reason: string): SettlerOutcome {
  return { status: 'unavailable', reason };
}

export function openSettlementQueue(
  chain: Eip155Chain,
  senders: readonly TransactionSender[],
  log: Log,
): SettlementQueue {
  const state: QueueState = {
    chain,
    senders,
    log,
    free: [...senders],
    queue: [],
    running: new Set(),
    isStopped: false,
  };
  return {
    enqueue: (payments) => enqueue(state, payments),
    withdraw: (pending) => {
      state.queue = state.queue.filter((queued) => queued !== pending);
    },
    stop: async () => {
      state.isStopped = true;
      senders.forEach((sender) => sender.stop());
      state.queue.splice(0).forEach((pending) => pending.decide(unavailable('settler_stopped')));
      await Promise.all(state.running);
    },
  };
}

function enqueue(state: QueueState, payments: readonly PendingPayment[]): void {
  if (state.isStopped) {
    payments.forEach((pending) => pending.decide(pending.isSent ? unknown : unavailable('settler_stopped')));
  } else if (payments.length > 0) {
    state.queue.push(...payments);
    setImmediate(startBatches, state);
  }
}

function startBatches(state: QueueState): void {
  while (state.queue.length > 0 && !state.isStopped) {
    const sender = state.free.shift();
    if (!sender) {
      return;
    }
    const run = runBatch(state, sender, takeBatch(state)).finally(() => {
      state.running.delete(run);
      state.free.push(sender);
      startBatches(state);
    });
    state.running.add(run);
  }
}

/** One that needs its own transaction, or all others together. */
function takeBatch(state: QueueState): PendingPayment[] {
  const { queue } = state;
  const batch = queue[0]?.needsOwnTransaction
    ? queue.slice(0, 1)
    : queue.filter((pending) => !pending.needsOwnTransaction).slice(0, MAX_BATCH);
  state.queue = queue.filter((pending) => !batch.includes(pending));
  return batch;
}

async function runBatch(state: QueueState, sender: TransactionSender, batch: readonly PendingPayment[]): Promise<void> {
  try {
    const prepared = await Promise.all(batch.map((pending) => preparePayment(state.chain, pending, sender.address)));
    const sendable = batch.filter((_, index) => prepared[index]);
    const apart = sendable.length > 1 ? sendable.filter((pending) => pending.needsOwnTransaction) : [];
    enqueue(state, apart);
    const together = sendable.filter((pending) => !apart.includes(pending));
    if (together.length > 0) {
      await closeBatch(state, together, await sender.send(toRequest(together)));
    }
  } catch (error) {
    state.log.error({ err: error, network: state.chain.network.caip2 }, 'a batch of settlements failed');
    batch.forEach((pending) => pending.decide(pending.isSent ? unknown : unavailable(reasons.cannotSettle)));
  }
}

async function closeBatch(state: QueueState, batch: readonly PendingPayment[], result: SendResult): Promise<void> {
  switch (result.kind) {
    case 'mined': {
      const mined = { receipt: result.receipt, isOwn: batch.length === 1 };
      await Promise.all(batch.map((pending) => decideByReceipt(state.chain, pending, mined)));
      return sendAgain(state, batch);
    }
    case 'replaced':
      return sendAgain(state, batch);
    case 'not_sent':
      return batch.forEach((pending) => pending.decide(unavailable(result.reason)));
    case 'stopped':
      return batch.forEach((pending) => pending.decide(unknown));
  }
}

/** What is still undecided was not paid and would go through now: each gets a transaction of its own, a few times at most. */
function sendAgain(state: QueueState, batch: readonly PendingPayment[]): void {
  const undecided = batch.filter((pending) => !pending.isDecided);
  for (const pending of undecided) {
    pending.attempts += 1;
    pending.needsOwnTransaction = true;
  }
  undecided.filter((pending) => pending.attempts >= MAX_ATTEMPTS).forEach((pending) => pending.decide(unknown));
  enqueue(
    state,
    undecided.filter((pending) => !pending.isDecided),
  );
}

/** What is still undecided is put together at the last moment; from then on it counts as sent. */
function toRequest(batch: readonly PendingPayment[]): MakeRequest {
  return () => {
    const wanted = batch.filter((pending) => !pending.isDecided);
    wanted.forEach((pending) => {
      pending.isSent = true;
    });
    const [first] = wanted;
    if (first && wanted.length === 1) {
      const { to, data, gas } = first.call;
      return { to, data, gasLimit: first.needsOwnTransaction ? gas.contract : gas.alone };
    }
    const calls = wanted.map(({ call }) => ({ target: call.to, data: call.data }));
    const gasLimit = wanted.reduce((sum, { call }) => sum + call.gas.shared, BATCH_GAS);
    return first ? { to: MULTICALL3, data: encodeAggregate3(calls), gasLimit } : null;
  };
}
