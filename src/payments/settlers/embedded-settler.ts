import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '#kit/index.ts';
import type { Offer } from '../offer.ts';
import type { Payment } from '../payment.ts';
import type { Chain } from './chain.ts';
import { checkGas } from './check-gas.ts';
import { openDispatch, unavailable, unknown } from './dispatch-parcels.ts';
import { GAS } from './gas.ts';
import { openLane, type LaneTiming } from './lane.ts';
import { openParcel, withReverted, type Parcel } from './parcel.ts';
import type { Log, Settler, SettlerOutcome } from './settler.ts';
import { toSigningKey } from './sign-transaction.ts';

interface EmbeddedOptions extends Chain {
  /** Each key is a lane: it sends one transaction at a time. */
  privateKeys: readonly string[];
  clock: Clock;
  log: Log;
  timing?: Partial<SettlerTiming>;
}

export interface SettlerTiming extends LaneTiming {
  /** How long one settle() waits before it says "unknown" (sent) or "unavailable" (not sent). */
  answerMs: number;
}

const usualTiming: SettlerTiming = { pollMs: 60, recheckMs: 2000, replaceAfterMs: 12_000, answerMs: 12_000 };

/** Settles with real transactions of our own keys. The keys hold gas only; no money of buyers or creators touches them. */
export function openEmbeddedSettler(options: EmbeddedOptions): Settler {
  const { network, clock, log } = options;
  const timing = { ...usualTiming, ...options.timing };
  const lanes = options.privateKeys.map((privateKey) =>
    openLane({ key: toSigningKey(privateKey), chain: options, timing, clock, log }),
  );
  const addresses = lanes.map((lane) => lane.address);
  const dispatch = openDispatch(options, lanes, log);
  const parcels = new Map<string, Parcel>();

  /** One parcel per payment, so that settling it again joins what is under way. */
  function findOrOpen(payment: Payment, offer: Offer): Parcel {
    const key = `${payment.payer} ${payment.nonce} ${payment.signature} ${offer.payTo} ${offer.amountAtomic}`;
    const known = parcels.get(key);
    if (known) {
      return known;
    }
    const parcel = openParcel(payment, offer, () => parcels.delete(key));
    parcels.set(key, parcel);
    dispatch.enqueue([parcel]);
    return parcel;
  }

  async function settle(payment: Payment, offer: Offer): Promise<SettlerOutcome> {
    const parcel = findOrOpen(payment, offer);
    const patience = new AbortController();
    const late = wait(timing.answerMs, unknown, { signal: patience.signal }).catch(() => unknown);
    const outcome = await Promise.race([parcel.decision, late]);
    patience.abort();
    if (!parcel.isDecided && !parcel.isSent) {
      dispatch.withdraw(parcel);
      parcel.decide(unavailable('settler_busy'));
    }
    return parcel.isDecided ? parcel.decision : withReverted(parcel, outcome);
  }

  return {
    name: `embedded ${network.caip2}`,
    supports: (name) => name === network.caip2,
    settle,
    limitMs: timing.answerMs,
    checkReady: () => checkGas({ chain: options, addresses, gasLimit: GAS.single }),
    stop: () => dispatch.stop(),
  };
}
