import type { Offer } from '../../offer.ts';
import type { Payment } from '../../payment.ts';
import { decodeRevert, encodeBalanceOf, type CallResult } from '../../settlers/eip155/call-data.ts';
import type { Eip155Chain } from '../../settlers/eip155/chain.ts';
import type { Inspection } from '../../settlers/eip155/chain-reader.ts';
import { RpcUnreachable } from '../../settlers/eip155/json-rpc.ts';
import type { Sender } from '../scheme.ts';
import { encodeAuthorizationState, encodeTransfer } from './call-data.ts';
import { reasons } from './reasons.ts';

/** What the chain says about a payment now. */
export interface PaymentState {
  isUsed: boolean;
  balanceAtomic: bigint;
  /** Why the transfer would revert; `null` when it would go through. */
  revert: string | null;
}

/** Nonce, balance and a simulated transfer, in the eth_call that all payments of the moment share. */
export async function inspect(chain: Eip155Chain, payment: Payment, sender?: Sender): Promise<PaymentState> {
  const target = chain.network.asset.address;
  const inquiry = {
    views: [
      { target, data: encodeAuthorizationState(payment.payer, payment.uniquenessKey) },
      { target, data: encodeBalanceOf(payment.payer) },
    ],
    transaction: { target, data: encodeTransfer(payment) },
    payer: payment.payer,
    isDoubtful: (failed: CallResult) => !isExplained(failed.data),
  };
  return toPaymentState(await chain.reader.inspect(inquiry, sender));
}

/** Why the chain would refuse the payment now, or `null`. In the order in which the SDK diagnoses a failed simulation. */
export function findRefusal(state: PaymentState, offer: Offer): string | null {
  if (state.isUsed) {
    return reasons.nonceUsed;
  }
  if (state.revert === null) {
    return null;
  }
  if (state.balanceAtomic < offer.amountAtomic) {
    return reasons.balance;
  }
  // The last block of a quiet chain may be old; our own clock has checked the window, and the next block is later.
  return /not yet valid/i.test(state.revert) ? null : reasons.simulation;
}

function toPaymentState({ views: [used, balance], transaction }: Inspection): PaymentState {
  if (used?.data.length !== 64 || balance?.data.length !== 64) {
    throw new RpcUnreachable('there is no EIP-3009 token at the address of the asset');
  }
  return {
    isUsed: BigInt(`0x${used.data}`) !== 0n,
    balanceAtomic: BigInt(`0x${balance.data}`),
    revert: transaction.success ? null : decodeRevert(transaction.data),
  };
}

/** The token said why, and what it said does not depend on code that ran out of gas: a contract wallet's signature check. */
function isExplained(revertData: string): boolean {
  return revertData.length >= 8 && !/signature/i.test(decodeRevert(revertData));
}
