import { setTimeout as wait } from 'node:timers/promises';
import type { Clock, Log } from '#kit/index.ts';
import { findScheme, type SchemeList } from '../find-scheme.ts';
import type { Chain } from '../network.ts';
import type { Offer } from '../offer.ts';
import type { Payment } from '../payment.ts';
import { eip155, type Eip155Chain } from './eip155/chain.ts';
import { checkGas, readGas } from './eip155/check-gas.ts';
import { openPendingPayments, withReverted } from './eip155/pending-payment.ts';
import { openSettlementQueue, unavailable, unknown } from './eip155/settlement-queue.ts';
import { toSettlerAddress, toSigningKey } from './eip155/sign-transaction.ts';
import { openTransactionSender, type SenderTiming } from './eip155/transaction-sender.ts';
import type { Settler, SettlerDeps, SettlerOutcome } from './settler.ts';

interface EmbeddedOptions extends SchemeList {
  chain: Eip155Chain;
  /** Each key sends one transaction at a time. */
  privateKeys: readonly string[];
  clock: Clock;
  log: Log;
  timing?: Partial<SettlerTiming>;
}

export interface SettlerTiming extends SenderTiming {
  /** How long one settle() waits before it says "unknown" (sent) or "unavailable" (not sent). */
  answerMs: number;
}

const usualTiming: SettlerTiming = { pollMs: 60, recheckMs: 2000, replaceAfterMs: 12_000, answerMs: 12_000 };
/** A settler is ready while it can pay for a transaction of this size. */
const GAS_OF_A_SETTLEMENT = 200_000n;

/** One settler for each EVM network, when there are keys. */
export function openEmbeddedSettlers({ chains, settlerPrivateKeys, ...deps }: SettlerDeps): Settler[] {
  const privateKeys = distinctKeys(settlerPrivateKeys);
  return privateKeys.length === 0
    ? []
    : [...chains.values()].filter(isEip155).map((chain) => openEmbeddedSettler({ ...deps, chain, privateKeys }));
}

/**
 * Settles with real transactions of our own keys. The keys hold gas only; no money of buyers or creators touches them.
 * @internal for its tests, which set its timing.
 */
export function openEmbeddedSettler(options: EmbeddedOptions): Settler {
  const { chain, clock, log } = options;
  const { caip2 } = chain.network;
  const timing = { ...usualTiming, ...options.timing };
  const senders = options.privateKeys.map((privateKey) =>
    openTransactionSender({ key: toSigningKey(privateKey), chain, timing, clock, log }),
  );
  const addresses = senders.map((sender) => sender.address);
  const queue = openSettlementQueue(chain, senders, log);
  const findOrOpen = openPendingPayments((pending) => queue.enqueue([pending]));

  async function settle(payment: Payment, offer: Offer): Promise<SettlerOutcome> {
    const scheme = findScheme(options, offer);
    if (!scheme) {
      return unavailable('settler_does_not_know_scheme');
    }
    const pending = findOrOpen({ scheme, payment, offer });
    const patience = new AbortController();
    const late = wait(timing.answerMs, unknown, { signal: patience.signal }).catch(() => unknown);
    const outcome = await Promise.race([pending.decision, late]);
    patience.abort();
    if (!pending.isDecided && !pending.isSent) {
      queue.withdraw(pending);
      pending.decide(unavailable('settler_busy'));
    }
    return pending.isDecided ? pending.decision : withReverted(pending, outcome);
  }

  return {
    name: `embedded ${caip2}`,
    supports: (name) => name === caip2,
    settle,
    limitMs: timing.answerMs,
    checkReady: () => checkGas({ chain, addresses, gasLimit: GAS_OF_A_SETTLEMENT }),
    readGas: () => readGas({ chain, addresses, gasLimit: GAS_OF_A_SETTLEMENT }),
    stop: () => queue.stop(),
  };
}

function isEip155(chain: Chain): chain is Eip155Chain {
  return Object.hasOwn(eip155.networks, chain.network.caip2);
}

/** Two senders with one key would take each other's nonces. */
function distinctKeys(privateKeys: readonly string[]): string[] {
  return [...new Map(privateKeys.map((key): [string, string] => [toSettlerAddress(key), key])).values()];
}
