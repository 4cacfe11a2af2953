import { isSameAddress, type Offer } from '../offer.ts';
import type { Payment } from '../payment.ts';
import { isRecord, RpcError, type JsonRpc } from './json-rpc.ts';
import { addressTopic, pairTransfers, toLogs, topics, type AuthorizedTransfer } from './transfers.ts';

/** `spent`: the nonce was cancelled or used for another transfer, so this authorisation can never be paid any more. */
export type FoundTransfer = { kind: 'transferred'; transaction: string } | { kind: 'spent' } | { kind: 'not_found' };

const FIRST_SPAN = 2000;
const LEAST_SPAN = 100;
/** With blocks of 2 s about a day and a half, newest first; a call is looked up within minutes as a rule. */
const MAX_BLOCKS = 64_000;

/** Who used the nonce of a payment, and for what. Asks eth_getLogs in bounded ranges, backwards from the head. */
export async function findTransfer(rpc: JsonRpc, payment: Payment, offer: Offer): Promise<FoundTransfer> {
  const head = Number(await rpc.call('eth_blockNumber', []));
  const oldest = Math.max(0, head - MAX_BLOCKS);
  let span = FIRST_SPAN;
  for (let to = head; to >= oldest;) {
    const from = Math.max(oldest, to - span + 1);
    const logs = await getUses(rpc, payment, { asset: offer.asset, from, to });
    if (logs === 'too wide' && span > LEAST_SPAN) {
      span = Math.max(LEAST_SPAN, Math.floor(span / 4));
      continue;
    }
    const use = logs === 'too wide' ? undefined : logs[0];
    if (use) {
      return use.topics[0] === topics.canceled ? { kind: 'spent' } : judgeReceipt(rpc, payment, { offer, use });
    }
    to = from - 1;
  }
  return { kind: 'not_found' };
}

/** Whether a transfer is the one that the payment authorised. */
export function isTransferOf(transfer: AuthorizedTransfer, payment: Payment, offer: Offer): boolean {
  return (
    transfer.nonce === payment.nonce &&
    transfer.from === payment.payer &&
    isSameAddress(transfer.to, offer.payTo) &&
    transfer.valueAtomic === offer.amountAtomic
  );
}

async function getUses(rpc: JsonRpc, payment: Payment, range: { asset: string; from: number; to: number }) {
  try {
    const answer = await rpc.call('eth_getLogs', [
      {
        address: range.asset,
        fromBlock: `0x${range.from.toString(16)}`,
        toBlock: `0x${range.to.toString(16)}`,
        topics: [[topics.used, topics.canceled], addressTopic(payment.payer), payment.nonce],
      },
    ]);
    return toLogs(answer, range.asset);
  } catch (error) {
    if (error instanceof RpcError) {
      return 'too wide' as const;
    }
    throw error;
  }
}

async function judgeReceipt(
  rpc: JsonRpc,
  payment: Payment,
  found: { offer: Offer; use: { transaction: string } },
): Promise<FoundTransfer> {
  const receipt = await rpc.call('eth_getTransactionReceipt', [found.use.transaction]);
  if (!isRecord(receipt)) {
    return { kind: 'not_found' };
  }
  const transfers = pairTransfers(toLogs(receipt['logs'], found.offer.asset));
  const own = transfers.find((transfer) => isTransferOf(transfer, payment, found.offer));
  return own ? { kind: 'transferred', transaction: own.transaction } : { kind: 'spent' };
}
