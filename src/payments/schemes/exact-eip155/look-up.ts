import { isObject, textOf } from '#kit/index.ts';
import type { Offer } from '../../offer.ts';
import type { Payment } from '../../payment.ts';
import type { Eip155Chain } from '../../settlers/eip155/chain.ts';
import { RpcUnreachable, toQuantity } from '../../settlers/eip155/json-rpc.ts';
import type { LookedUp } from '../../verdict.ts';
import type { Wanted } from '../scheme.ts';
import { encodeAuthorizationState } from './call-data.ts';
import { findTransfer } from './find-transfer.ts';
import { EXPIRED } from './reasons.ts';

/** Blocks this much younger than the end of the authorisation have to exist, so that no reorganisation undoes it. */
const EXPIRY_MARGIN_SECONDS = 30;

/** What the chain says about a payment, whoever sent it. Rejects when the chain cannot tell. */
export async function lookUp(chain: Eip155Chain, payment: Payment, wanted: Wanted): Promise<LookedUp> {
  const { offer } = wanted;
  const block = await getLatestBlock(chain);
  // The state as of that block, so that "not used" and "too late" are said of the same moment.
  if (!(await readState(chain, payment, { offer, block: block.number }))) {
    const now = (await isIdle(chain)) ? Math.floor(wanted.nowMs / 1000) : block.timestamp;
    const isOver = now >= payment.expiresAt + EXPIRY_MARGIN_SECONDS;
    return isOver ? { status: 'expired', reason: EXPIRED } : { status: 'unused' };
  }
  const found = await findTransfer(chain, payment, { offer, sinceMs: wanted.since?.getTime() });
  switch (found.kind) {
    case 'transferred':
      return { status: 'settled', transaction: found.transaction };
    case 'spent':
      return { status: 'expired', reason: EXPIRED };
    case 'not_found':
      return { status: 'untraced' };
    case 'unread':
      return { status: 'unknown' };
  }
}

/** See `Scheme.isUsed`. */
export async function isUsed(chain: Eip155Chain, payment: Payment, offer: Offer): Promise<boolean> {
  return readState(chain, payment, { offer, block: 'latest' });
}

async function readState(
  chain: Eip155Chain,
  payment: Payment,
  { offer, block }: { offer: Offer; block: string },
): Promise<boolean> {
  const state = await chain.rpc.call('eth_call', [
    { to: offer.asset, data: encodeAuthorizationState(payment.payer, payment.uniquenessKey) },
    block,
  ]);
  if (typeof state !== 'string' || !/^0x[0-9a-f]{64}$/i.test(state)) {
    throw new RpcUnreachable('the token did not tell the state of an authorisation');
  }
  return BigInt(state) !== 0n;
}

async function getLatestBlock(chain: Eip155Chain): Promise<{ number: string; timestamp: number }> {
  const block = await chain.rpc.call('eth_getBlockByNumber', ['latest', false]);
  if (!isObject(block) || typeof block['number'] !== 'string') {
    throw new RpcUnreachable('the RPC endpoint did not tell its latest block');
  }
  return { number: block['number'], timestamp: toQuantity(block['timestamp'], 'its latest block') };
}

/** Development nodes make a block only when there is a transaction, so the age of their last block says nothing. */
async function isIdle(chain: Eip155Chain): Promise<boolean> {
  if (!chain.network.isTestnet) {
    return false;
  }
  const version = await chain.rpc.call('web3_clientVersion', []).catch(() => '');
  return /^(anvil|hardhat)/i.test(textOf(version));
}
