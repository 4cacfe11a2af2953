import { isObject } from '#kit/index.ts';
import type { Network } from '../../network.ts';
import type { Offer } from '../../offer.ts';
import type { Payment } from '../../payment.ts';
import { toLogs, toTopic, type ChainLog } from '../../settlers/eip155/logs.ts';
import type { Transfer } from '../scheme.ts';

export const topics = {
  used: toTopic('AuthorizationUsed(address,bytes32)'),
  canceled: toTopic('AuthorizationCanceled(address,bytes32)'),
  transfer: toTopic('Transfer(address,address,uint256)'),
};

/**
 * Pairs each AuthorizationUsed with the Transfer that the token logs right after it. Looking for both anywhere in a
 * transaction would not do: a batch may hold two authorisations with one nonce, and another transfer that looks like the
 * second of them (tokens such as PYUSD do not even revert on a used nonce).
 */
export function pairTransfers(logs: readonly ChainLog[]): Transfer[] {
  const ordered = [...logs].sort((a, b) => a.block - b.block || a.index - b.index);
  return ordered.flatMap((log, position) => {
    const next = ordered[position + 1];
    const [kind, authorizer, nonce] = log.topics;
    if (kind !== topics.used || !authorizer || !nonce || next?.topics[0] !== topics.transfer) {
      return [];
    }
    const [, from = '', to = ''] = next.topics;
    const isPair = next.transaction === log.transaction && from === authorizer;
    return isPair
      ? [
          {
            transaction: log.transaction,
            uniquenessKey: nonce,
            from: toAddress(from),
            to: toAddress(to),
            valueAtomic: toBigInt(next.data),
          },
        ]
      : [];
  });
}

/** The transfers that authorisations caused, as a receipt shows them. */
export function readTransfers(network: Network, receipt: unknown): Transfer[] {
  return isObject(receipt) ? pairTransfers(toLogs(receipt['logs'], network.asset.address)) : [];
}

/** Whether a transfer is the one that the payment authorised. */
export function isTransferOf(transfer: Transfer, payment: Payment, offer: Offer): boolean {
  return (
    transfer.uniquenessKey === payment.uniquenessKey &&
    transfer.from === payment.payer &&
    transfer.to === offer.payTo.toLowerCase() &&
    transfer.valueAtomic === offer.amountAtomic
  );
}

function toAddress(word: string): string {
  return `0x${word.slice(-40)}`;
}

function toBigInt(data: string): bigint {
  return /^0x[0-9a-f]{64}$/i.test(data) ? BigInt(data) : -1n;
}
