import { isObject } from '#kit/index.ts';
import type { Offer } from '../../offer.ts';
import type { Payment } from '../../payment.ts';
import type { Eip155Chain } from '../../settlers/eip155/chain.ts';
import { findBlockBefore, readHead } from '../../settlers/eip155/find-block.ts';
import { RpcError, type JsonRpc } from '../../settlers/eip155/json-rpc.ts';
import { addressTopic, toLogs } from '../../settlers/eip155/logs.ts';
import { payloadOf } from './payload.ts';
import { isTransferOf, readTransfers, topics } from './transfers.ts';

/** `spent`: the nonce was cancelled or used for another transfer, so this authorisation can never be paid any more. */
export type FoundTransfer =
  | { kind: 'transferred'; transaction: string }
  | { kind: 'spent' }
  /** Used in a transaction whose receipt the node does not tell yet. */
  | { kind: 'unread' }
  | { kind: 'not_found' };

const FIRST_SPAN = 2000;
/** What endpoints say to a range that they do not serve in one answer; there is no code for it. */
const TOO_WIDE = /range|limit|exceed|too (many|large|wide|big|long)|more than|max(imum)?\b|response size|timed? ?out/i;
/** Searched when no time is given: a payment that is being settled was unused minutes ago. */
const USUAL_AGE_MS = 24 * 3_600_000;
/** Clocks of databases and chains differ. */
const CLOCK_MARGIN_SECONDS = 600;

interface Searched {
  offer: Offer;
  /** When the payment was unused yet; a day ago when it is not known. */
  sinceMs?: number | undefined;
}

/**
 * Who used the nonce of a payment, and for what. Asks eth_getLogs in bounded ranges, backwards from the head to the time
 * when it could first be used. Rejects where the endpoint leaves out a range: what was not searched was not "not found".
 */
export async function findTransfer(
  chain: Pick<Eip155Chain, 'rpc' | 'network'>,
  payment: Payment,
  searched: Searched,
): Promise<FoundTransfer> {
  const { rpc } = chain;
  const { offer } = searched;
  const head = await readHead(rpc);
  let oldest: number | null = null;
  let span = FIRST_SPAN;
  for (let to = head; to >= (oldest ?? 0);) {
    const from = Math.max(oldest ?? 0, to - span + 1);
    const logs = await getUses(rpc, payment, { asset: offer.asset, from, to });
    if (logs === 'too wide') {
      span = Math.floor(span / 4);
      continue;
    }
    const [use] = logs;
    if (use) {
      return use.topics[0] === topics.canceled ? { kind: 'spent' } : judgeReceipt(chain, payment, { offer, use });
    }
    oldest ??= await findBlockBefore(rpc, head, { timestampSeconds: firstSecond(payment, searched.sinceMs) });
    to = from - 1;
  }
  return { kind: 'not_found' };
}

function firstSecond(payment: Payment, sinceMs = Date.now() - USUAL_AGE_MS): number {
  const validAfter = Number(payloadOf(payment).authorization.validAfter);
  return Math.max(validAfter, Math.floor(sinceMs / 1000) - CLOCK_MARGIN_SECONDS);
}

async function getUses(rpc: JsonRpc, payment: Payment, range: { asset: string; from: number; to: number }) {
  try {
    const answer = await rpc.call('eth_getLogs', [
      {
        address: range.asset,
        fromBlock: `0x${range.from.toString(16)}`,
        toBlock: `0x${range.to.toString(16)}`,
        topics: [[topics.used, topics.canceled], addressTopic(payment.payer), payment.uniquenessKey],
      },
    ]);
    return toLogs(answer, range.asset);
  } catch (error) {
    if (error instanceof RpcError && range.to > range.from && isTooWide(error.message)) {
      return 'too wide' as const;
    }
    throw error;
  }
}

function isTooWide(message: string): boolean {
  return TOO_WIDE.test(message) && !/rate|too many requests|per second/i.test(message);
}

async function judgeReceipt(
  { rpc, network }: Pick<Eip155Chain, 'rpc' | 'network'>,
  payment: Payment,
  found: { offer: Offer; use: { transaction: string } },
): Promise<FoundTransfer> {
  const receipt = await rpc.call('eth_getTransactionReceipt', [found.use.transaction]);
  if (!isObject(receipt)) {
    return { kind: 'unread' };
  }
  const transfers = readTransfers(network, receipt);
  const own = transfers.find((transfer) => isTransferOf(transfer, payment, found.offer));
  return own ? { kind: 'transferred', transaction: own.transaction } : { kind: 'spent' };
}
