import type { Database } from '#database/index.ts';
import type { Payments } from './open-payments.ts';
import type { Chain } from './network.ts';
import { reconcileLedger } from './reconcile-ledger.ts';

/** Blocks this young may still be reorganised, and their calls may still be on the way into the ledger. */
const LAG_SECONDS = 180;

/**
 * Compares the ledger with the chain over the last `seconds`, on every network, and logs what disagrees as an error.
 * @returns how many bookings or transfers disagree.
 */
export async function watchLedger(deps: { database: Database; payments: Payments }, seconds: number): Promise<number> {
  const { chains, log } = deps.payments;
  let disagreeing = 0;
  for (const [network, chain] of chains) {
    try {
      disagreeing += await watchNetwork(deps, chain, seconds);
    } catch (error) {
      log.warn({ err: error, network }, 'the ledger could not be compared with the chain');
    }
  }
  return disagreeing;
}

async function watchNetwork(
  deps: { database: Database; payments: Payments },
  chain: Chain,
  seconds: number,
): Promise<number> {
  const network = chain.network.caip2;
  const range = await chain.findRange({ seconds, lagSeconds: LAG_SECONDS });
  const { missingOnChain, missingInLedger } = await reconcileLedger(deps, { network, ...range });
  for (const booked of missingOnChain) {
    deps.payments.log.error({ network, ...booked }, 'booked, and the chain does not show the transfer');
  }
  for (const { valueAtomic, ...transfer } of missingInLedger) {
    const fields = { network, ...transfer, amountAtomic: valueAtomic.toString() };
    deps.payments.log.error(fields, 'a creator was paid on the chain and no call has booked it');
  }
  return missingOnChain.length + missingInLedger.length;
}
