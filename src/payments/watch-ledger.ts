import type { Database } from '#database/index.ts';
import type { Payments } from './open-payments.ts';
import type { Chain } from './network.ts';
import { reconcileLedger } from './reconcile-ledger.ts';
import type { Transfer } from './schemes/scheme.ts';

/** Blocks this young may still be reorganised, and their calls may still be on the way into the ledger. */
const LAG_SECONDS = 180;

interface WatchDeps {
  database: Database;
  payments: Payments;
}

/** Whoever keeps the calls, and so can do something about what disagrees. */
export interface WatchedCalls {
  /** Moves on the calls that these transfers pay. Returns the transfers that belong to a call. */
  adoptTransfers(network: string, transfers: readonly Transfer[]): Promise<ReadonlySet<Transfer>>;
  /** Looks up again the payment of a call whose transfer was not shown, and marks the call where it is still missing. */
  recheckSettled(callId: string): Promise<'shown' | 'missing' | 'unknown'>;
}

/**
 * Compares the ledger with the chain over the last `seconds`, on every network. A transfer that pays a call moves that call
 * on; what then disagrees is logged as an error, with the creator whom it concerns. Nothing that is booked is taken back.
 * @returns how many bookings or transfers disagreed, those that were mended included.
 */
export async function watchLedger(deps: WatchDeps, seconds: number, calls: WatchedCalls): Promise<number> {
  const { chains, log } = deps.payments;
  let disagreeing = 0;
  for (const [network, chain] of chains) {
    try {
      disagreeing += await watchNetwork(deps, { chain, seconds, calls });
    } catch (error) {
      log.warn({ err: error, network }, 'the ledger could not be compared with the chain');
    }
  }
  return disagreeing;
}

async function watchNetwork(
  deps: WatchDeps,
  { chain, seconds, calls }: { chain: Chain; seconds: number; calls: WatchedCalls },
): Promise<number> {
  const network = chain.network.caip2;
  const { log } = deps.payments;
  const range = await chain.findRange({ seconds, lagSeconds: LAG_SECONDS });
  const { missingOnChain, missingInLedger, payees } = await reconcileLedger(deps, { network, ...range });
  for (const booked of missingOnChain) {
    const found = await calls.recheckSettled(booked.callId);
    const fields = { network, ...booked, found };
    if (found === 'missing') {
      log.error(fields, 'booked, and the chain does not show the transfer');
    } else {
      log.warn(fields, 'booked, and the chain did not show the transfer in its transaction');
    }
  }
  const adopted = await calls.adoptTransfers(network, missingInLedger);
  const foreign = missingInLedger.filter((transfer) => payees.has(transfer.to) && !adopted.has(transfer));
  for (const { valueAtomic, ...transfer } of foreign) {
    const fields = { network, ...transfer, amountAtomic: valueAtomic.toString(), ownerIds: payees.get(transfer.to) };
    log.error(fields, 'a creator was paid on the chain and no call has booked it');
  }
  return missingOnChain.length + adopted.size + foreign.length;
}
