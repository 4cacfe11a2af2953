import type { Settler, SettlerDeps } from '#payments/index.ts';
import { findScheme } from '../../src/payments/find-scheme.ts';
import type { CashBank, SealedOrder } from './cash-bank.ts';
import { CASH_NETWORK } from './cash-scheme.ts';

export interface CashSettler extends Settler {
  /** `busy`: nothing is brought to the bank. `forgetful`: what the bank answers is lost. */
  mood: 'good' | 'busy' | 'forgetful';
}

/** The smallest settler: brings what the scheme says to the bank. */
export function openCashSettler(deps: Pick<SettlerDeps, 'schemes' | 'chains' | 'clock'>, bank: CashBank): CashSettler {
  let isStopped = false;
  const settler: CashSettler = {
    name: 'cash',
    mood: 'good',
    limitMs: 1_000,
    supports: (network) => network === CASH_NETWORK,
    settle: async (payment, offer) => {
      const scheme = findScheme(deps, offer);
      const chain = deps.chains.get(offer.network);
      if (!scheme || !chain || isStopped || settler.mood === 'busy' || bank.isClosed) {
        return { status: 'unavailable', reason: 'settler_busy' };
      }
      const { data } = scheme.settleCall(payment, offer);
      bank.carryOut(JSON.parse(data) as SealedOrder, Math.floor(deps.clock.now() / 1000));
      // What the bank did with the order is asked afterwards: it may have had it from somebody else.
      const simulated = await scheme.simulate(chain, payment, { offer });
      if (settler.mood === 'forgetful' || simulated.kind === 'payable' || simulated.kind === 'unknown') {
        return { status: 'unknown', reason: 'settlement_pending' };
      }
      return simulated.kind === 'settled'
        ? { status: 'settled', transaction: simulated.transaction, network: offer.network }
        : { status: 'refused', reason: simulated.reason };
    },
    checkReady: async () =>
      settler.mood === 'busy' ? { ready: false, cause: 'the settler is busy' } : { ready: true },
    stop: async () => {
      isStopped = true;
    },
  };
  return settler;
}
