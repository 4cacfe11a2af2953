import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '#kit/index.ts';
import type { Offer } from '../offer.ts';
import type { Payment } from '../payment.ts';
import { reasons } from '../schemes/exact-eip3009.ts';
import { encodeAggregate3, encodeTransfer, MULTICALL3 } from './call-data.ts';
import type { Chain } from './chain.ts';
import { closeReceipt, openParcel, prepareParcel, type Parcel } from './parcel.ts';
import { checkGas, type GasCheck } from './check-gas.ts';
import { openLane, type Fate, type Lane, type LaneTiming, type Shipment } from './lane.ts';
import type { Log, Settler, SettlerOutcome } from './settler.ts';
import { toSigningKey } from './sign-transaction.ts';

interface EmbeddedOptions extends Chain {
  /** Each key is a lane: it sends one transaction at a time, with all that has gathered while the last was under way. */
  privateKeys: readonly string[];
  clock: Clock;
  log: Log;
  timing?: Partial<SettlerTiming>;
}

export interface SettlerTiming extends LaneTiming {
  /** How long one settle() waits before it says "unknown" (sent) or "unavailable" (not sent). */
  answerMs: number;
}

const usualTiming: SettlerTiming = { pollMs: 60, recheckMs: 2000, replaceAfterMs: 12_000, answerMs: 30_000 };

const MAX_BATCH = 100;
const MAX_ATTEMPTS = 3;
/** Unused gas is not paid; a contract wallet may verify a passkey in its own code. */
const GAS = { single: 200_000n, wallet: 700_000n, batch: 80_000n, each: 120_000n };

/** Settles with real transactions of our own keys. The keys hold gas only; no money of buyers or creators touches them. */
export function openEmbeddedSettler(options: EmbeddedOptions): Settler {
  const { network, rpc, clock, log } = options;
  const timing = { ...usualTiming, ...options.timing };
  const chain: Chain = options;
  const lanes = options.privateKeys.map((privateKey) =>
    openLane({ key: toSigningKey(privateKey), chainId: network.chainId, rpc, timing, clock, log }),
  );
  const free: Lane[] = [...lanes];
  const parcels = new Map<string, Parcel>();
  const running = new Set<Promise<void>>();
  const gas: GasCheck = { rpc, addresses: lanes.map((lane) => lane.address), gasLimit: GAS.single };
  let queue: Parcel[] = [];
  let isStopped = false;

  function pump(): void {
    while (queue.length > 0 && free.length > 0 && !isStopped) {
      const lane = free.shift();
      const batch = takeBatch();
      if (lane) {
        const run = runBatch(lane, batch).finally(() => {
          running.delete(run);
          free.push(lane);
          pump();
        });
        running.add(run);
      }
    }
  }

  /** Those that have to travel alone do so; the rest goes together. */
  function takeBatch(): Parcel[] {
    const batch = queue[0]?.isAlone ? queue.slice(0, 1) : queue.filter((parcel) => !parcel.isAlone).slice(0, MAX_BATCH);
    queue = queue.filter((parcel) => !batch.includes(parcel));
    return batch;
  }

  function enqueue(batch: readonly Parcel[]): void {
    queue.push(...batch);
    setImmediate(pump);
  }

  async function runBatch(lane: Lane, batch: readonly Parcel[]): Promise<void> {
    try {
      const prepared = await Promise.all(batch.map((parcel) => prepareParcel(chain, parcel)));
      const sendable = batch.filter((_, index) => prepared[index]);
      const isMixed = sendable.length > 1;
      const alone = isMixed ? sendable.filter((parcel) => parcel.isAlone) : [];
      enqueue(alone);
      const together = sendable.filter((parcel) => !alone.includes(parcel));
      if (together.length > 0) {
        await closeBatch(together, await lane.ship(toShipment(network.asset.address, together)));
      }
    } catch (error) {
      log.error({ err: error, network: network.caip2 }, 'a settlement broke off');
      batch.forEach((parcel) => parcel.decide(parcel.isSent ? unknown : unavailable(reasons.cannotSettle)));
    }
  }

  async function closeBatch(batch: readonly Parcel[], fate: Fate): Promise<void> {
    switch (fate.kind) {
      case 'mined':
        await Promise.all(batch.map((parcel) => closeReceipt(chain, parcel, fate.receipt)));
        return sendAgain(batch);
      case 'replaced':
        return sendAgain(batch);
      case 'not_sent':
        return batch.forEach((parcel) => parcel.decide(unavailable(fate.reason)));
      case 'stopped':
        return batch.forEach((parcel) => parcel.decide(unknown));
    }
  }

  /** What is still undecided was not mined and would go through now: it travels alone, a few times at the most. */
  function sendAgain(batch: readonly Parcel[]): void {
    const undecided = batch.filter((parcel) => !parcel.isDecided);
    const worn = undecided.filter((parcel) => (parcel.attempts += 1) >= MAX_ATTEMPTS);
    worn.forEach((parcel) => parcel.decide(unknown));
    enqueue(undecided.filter((parcel) => !worn.includes(parcel)));
  }

  function findOrOpen(payment: Payment, offer: Offer): Parcel {
    const key = `${payment.payer} ${payment.nonce} ${payment.signature} ${offer.asset}`;
    const known = parcels.get(key);
    if (known) {
      return known;
    }
    const parcel = openParcel(payment, offer, () => parcels.delete(key));
    parcels.set(key, parcel);
    enqueue([parcel]);
    return parcel;
  }

  async function settle(payment: Payment, offer: Offer): Promise<SettlerOutcome> {
    if (isStopped) {
      return unavailable('settler_stopped');
    }
    const parcel = findOrOpen(payment, offer);
    const patience = new AbortController();
    const late = wait(timing.answerMs, null, { signal: patience.signal }).then(() => {
      if (!parcel.isSent) {
        queue = queue.filter((queued) => queued !== parcel);
        parcel.decide(unavailable('settler_busy'));
      }
      return unknown;
    });
    late.catch(() => {});
    const outcome = await Promise.race([parcel.decision, late]);
    patience.abort();
    return parcel.isDecided ? parcel.decision : outcome;
  }

  return {
    name: `embedded ${network.caip2}`,
    supports: (name) => name === network.caip2,
    settle,
    checkReady: () => checkGas(gas),
    stop: async () => {
      isStopped = true;
      lanes.forEach((lane) => lane.stop());
      queue.forEach((parcel) => parcel.decide(unavailable('settler_stopped')));
      await Promise.all(running);
    },
  };
}

const unknown: SettlerOutcome = { status: 'unknown', reason: reasons.pending };

function unavailable(reason: string): SettlerOutcome {
  return { status: 'unavailable', reason };
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
