import { reasons } from '../schemes/exact-eip3009.ts';
import { encodeAggregate3, encodeTransfer, MULTICALL3 } from './call-data.ts';
import type { Chain } from './chain.ts';
import { GAS } from './gas.ts';
import type { Fate, Lane, Shipment } from './lane.ts';
import { closeReceipt, prepareParcel, type Parcel } from './parcel.ts';
import type { Log, SettlerOutcome } from './settler.ts';

/** Brings parcels to lanes: a free lane takes all that has gathered while it and the others were under way. */
export interface Dispatch {
  enqueue(parcels: readonly Parcel[]): void;
  /** Takes out a parcel that nobody waits for any more. */
  withdraw(parcel: Parcel): void;
  stop(): Promise<void>;
}

interface DispatchState {
  chain: Chain;
  lanes: readonly Lane[];
  log: Log;
  free: Lane[];
  queue: Parcel[];
  running: Set<Promise<void>>;
  isStopped: boolean;
}

const MAX_BATCH = 100;
const MAX_ATTEMPTS = 3;
export const unknown: SettlerOutcome = { status: 'unknown', reason: reasons.pending };

export function unavailable(reason: string): SettlerOutcome {
  return { status: 'unavailable', reason };
}

export function openDispatch(chain: Chain, lanes: readonly Lane[], log: Log): Dispatch {
  const state: DispatchState = { chain, lanes, log, free: [...lanes], queue: [], running: new Set(), isStopped: false };
  return {
    enqueue: (parcels) => enqueue(state, parcels),
    withdraw: (parcel) => {
      state.queue = state.queue.filter((queued) => queued !== parcel);
    },
    stop: async () => {
      state.isStopped = true;
      lanes.forEach((lane) => lane.stop());
      state.queue.splice(0).forEach((parcel) => parcel.decide(unavailable('settler_stopped')));
      await Promise.all(state.running);
    },
  };
}

function enqueue(state: DispatchState, parcels: readonly Parcel[]): void {
  if (state.isStopped) {
    parcels.forEach((parcel) => parcel.decide(parcel.isSent ? unknown : unavailable('settler_stopped')));
  } else if (parcels.length > 0) {
    state.queue.push(...parcels);
    setImmediate(pump, state);
  }
}

function pump(state: DispatchState): void {
  while (state.queue.length > 0 && !state.isStopped) {
    const lane = state.free.shift();
    if (!lane) {
      return;
    }
    const run = runBatch(state, lane, takeBatch(state)).finally(() => {
      state.running.delete(run);
      state.free.push(lane);
      pump(state);
    });
    state.running.add(run);
  }
}

/** Those that have to travel alone do so; the rest goes together. */
function takeBatch(state: DispatchState): Parcel[] {
  const { queue } = state;
  const batch = queue[0]?.isAlone ? queue.slice(0, 1) : queue.filter((parcel) => !parcel.isAlone).slice(0, MAX_BATCH);
  state.queue = queue.filter((parcel) => !batch.includes(parcel));
  return batch;
}

async function runBatch(state: DispatchState, lane: Lane, batch: readonly Parcel[]): Promise<void> {
  try {
    const prepared = await Promise.all(batch.map((parcel) => prepareParcel(state.chain, parcel, lane.address)));
    const sendable = batch.filter((_, index) => prepared[index]);
    const apart = sendable.length > 1 ? sendable.filter((parcel) => parcel.isAlone) : [];
    enqueue(state, apart);
    const together = sendable.filter((parcel) => !apart.includes(parcel));
    if (together.length > 0) {
      const fate = await lane.ship(toShipment(state.chain.network.asset.address, together));
      await closeBatch(state, together, fate);
    }
  } catch (error) {
    state.log.error({ err: error, network: state.chain.network.caip2 }, 'a settlement broke off');
    batch.forEach((parcel) => parcel.decide(parcel.isSent ? unknown : unavailable(reasons.cannotSettle)));
  }
}

async function closeBatch(state: DispatchState, batch: readonly Parcel[], fate: Fate): Promise<void> {
  switch (fate.kind) {
    case 'mined':
      await Promise.all(
        batch.map((parcel) => closeReceipt(state.chain, parcel, { receipt: fate.receipt, isLone: batch.length === 1 })),
      );
      return sendAgain(state, batch);
    case 'replaced':
      return sendAgain(state, batch);
    case 'not_sent':
      return batch.forEach((parcel) => parcel.decide(unavailable(fate.reason)));
    case 'stopped':
      return batch.forEach((parcel) => parcel.decide(unknown));
  }
}

/** What is still undecided was not mined and would go through now: it travels alone, a few times at the most. */
function sendAgain(state: DispatchState, batch: readonly Parcel[]): void {
  const undecided = batch.filter((parcel) => !parcel.isDecided);
  for (const parcel of undecided) {
    parcel.attempts += 1;
    parcel.isAlone = true;
  }
  undecided.filter((parcel) => parcel.attempts >= MAX_ATTEMPTS).forEach((parcel) => parcel.decide(unknown));
  enqueue(
    state,
    undecided.filter((parcel) => !parcel.isDecided),
  );
}

/** What somebody still waits for is put together at the last moment; from then on it counts as sent. */
function toShipment(asset: string, batch: readonly Parcel[]): Shipment {
  return () => {
    const wanted = batch.filter((parcel) => !parcel.isDecided);
    const calls = wanted.map((parcel) => ({ target: asset, data: encodeTransfer(parcel.payment) }));
    const [first] = calls;
    wanted.forEach((parcel) => {
      parcel.isSent = true;
    });
    if (first && calls.length === 1) {
      return { to: asset, data: first.data, gasLimit: wanted[0]?.isAlone ? GAS.wallet : GAS.single };
    }
    const gasLimit = GAS.batch + GAS.each * BigInt(calls.length);
    return first ? { to: MULTICALL3, data: encodeAggregate3(calls), gasLimit } : null;
  };
}
