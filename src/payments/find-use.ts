import { setTimeout as wait } from 'node:timers/promises';
import { getScheme } from './find-scheme.ts';
import type { Offer } from './offer.ts';
import type { Payments } from './open-payments.ts';
import type { Payment } from './payment.ts';
import type { Use } from './verdict.ts';

/** Longer than a network takes that answers at all, and nobody waits much longer for a failure because of it. */
const LIMIT_MS = 4_000;

/**
 * Whether somebody has used a payment, and with which transfer: what is to be known before anybody reads that it was not
 * charged. One question to the network while nobody has. A network that does not answer soon is `unknown`; never rejects.
 */
export async function findUse(
  payments: Payments,
  payment: Payment,
  wanted: { offer: Offer; /** From when on a use is searched for. */ since: Date },
): Promise<Use> {
  const { network } = wanted.offer;
  const patience = new AbortController();
  const late = wait(LIMIT_MS, { status: 'unknown' } as const, { signal: patience.signal }).catch(unknown);
  const found = await Promise.race([askNetwork(payments, payment, wanted), late]).catch((error: unknown) => {
    payments.log.warn({ err: error, network }, 'the chain could not be asked whether a payment was used');
    return unknown();
  });
  patience.abort();
  return found;
}

async function askNetwork(
  payments: Payments,
  payment: Payment,
  { offer, since }: { offer: Offer; since: Date },
): Promise<Use> {
  const scheme = getScheme(payments, offer);
  const chain = payments.chains.get(offer.network);
  if (!chain) {
    return unknown();
  }
  if (!(await scheme.isUsed(chain, payment, offer))) {
    return { status: 'unused' };
  }
  const found = await scheme.lookUp(chain, payment, { offer, since, nowMs: payments.clock.now() });
  switch (found.status) {
    case 'settled': {
      const at = await chain.findTime(found.transaction);
      return at === null ? unknown() : { ...found, atMs: at * 1000 };
    }
    case 'expired':
      return { status: 'spent' };
    case 'untraced':
      return { status: 'untraced' };
    default:
      return unknown();
  }
}

function unknown(): Use & { status: 'unknown' } {
  return { status: 'unknown' };
}
