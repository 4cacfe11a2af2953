import type { Offer } from '../../offer.ts';
import type { Payment } from '../../payment.ts';
import type { Eip155Chain } from '../../settlers/eip155/chain.ts';
import type { Sender, Simulated } from '../scheme.ts';
import { findTransfer } from './find-transfer.ts';
import { findRefusal, inspect } from './inspect.ts';
import { reasons } from './reasons.ts';
import { toReason } from './to-reason.ts';

/** Paid by whomever: a used nonce with our transfer behind it is a settlement, otherwise the chain's reason stands. */
export async function simulate(
  chain: Eip155Chain,
  payment: Payment,
  { offer, sender }: { offer: Offer; sender?: Sender },
): Promise<Simulated> {
  const state = await inspect(chain, payment, sender);
  const refusal = findRefusal(state, offer);
  if (refusal === null) {
    return { kind: 'payable' };
  }
  if (!state.isUsed) {
    return { kind: 'refused', reason: toReason(state.revert ?? '') ?? refusal };
  }
  const found = await findTransfer(chain, payment, { offer });
  switch (found.kind) {
    case 'transferred':
      return { kind: 'settled', transaction: found.transaction };
    case 'spent':
      return { kind: 'refused', reason: reasons.nonceUsed };
    case 'unread':
    case 'not_found':
      return { kind: 'unknown' };
  }
}
