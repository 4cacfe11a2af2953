import type { Offer } from './offer.ts';
import type { Payments } from './open-payments.ts';
import type { Payment } from './payment.ts';
import { encodeAuthorizationState } from './settlers/call-data.ts';
import type { Chain } from './settlers/chain.ts';
import { findTransfer } from './settlers/find-transfer.ts';
import { isRecord, RpcUnreachable } from './settlers/json-rpc.ts';

/** `expired`: the authorisation can never be paid any more (too late, cancelled, or its nonce went to another transfer). */
export type LookedUp =
  | { status: 'settled'; transaction: string }
  | { status: 'unused' }
  | { status: 'expired' }
  | { status: 'unknown' };

/** Blocks this much younger than the end of the authorisation have to exist, so that no reorganisation undoes it. */
const EXPIRY_MARGIN_SECONDS = 30;

interface LookedFor {
  offer: Offer;
  /** When the payment was unused yet: the time of its call. */
  since?: Date;
}

/** What the chain says about a payment, whoever sent it: a payment that somebody else broadcast is paid. */
export async function lookupSettlement(payments: Payments, payment: Payment, wanted: LookedFor): Promise<LookedUp> {
  const { offer } = wanted;
  const chain = payments.chains.get(offer.network);
  if (!chain) {
    return { status: 'unknown' };
  }
  try {
    return await lookUp(chain, payment, { ...wanted, nowMs: payments.clock.now() });
  } catch (error) {
    payments.log.warn({ err: error, network: offer.network }, 'the chain could not be asked about a settlement');
    return { status: 'unknown' };
  }
}

async function lookUp(chain: Chain, payment: Payment, input: LookedFor & { nowMs: number }): Promise<LookedUp> {
  const { offer } = input;
  const block = await getLatestBlock(chain);
  // The state as of that block, so that "not used" and "too late" are said of the same moment.
  const state = await chain.rpc.call('eth_call', [
    { to: offer.asset, data: encodeAuthorizationState(payment.payer, payment.nonce) },
    block.number,
  ]);
  if (typeof state !== 'string' || state.length !== 66) {
    throw new RpcUnreachable('the token did not tell the state of an authorisation');
  }
  if (BigInt(state) === 0n) {
    const end = BigInt(payment.authorization.validBefore) + BigInt(EXPIRY_MARGIN_SECONDS);
    const now = (await isIdle(chain)) ? Math.floor(input.nowMs / 1000) : block.timestamp;
    return { status: BigInt(now) >= end ? 'expired' : 'unused' };
  }
  const found = await findTransfer(chain.rpc, payment, { offer, sinceMs: input.since?.getTime() });
  switch (found.kind) {
    case 'transferred':
      return { status: 'settled', transaction: found.transaction };
    case 'spent':
      return { status: 'expired' };
    case 'not_found':
      return { status: 'unknown' };
  }
}

async function getLatestBlock(chain: Chain): Promise<{ number: string; timestamp: number }> {
  const block = await chain.rpc.call('eth_getBlockByNumber', ['latest', false]);
  if (!isRecord(block) || typeof block['number'] !== 'string') {
    throw new RpcUnreachable('the RPC endpoint did not tell its latest block');
  }
  return { number: block['number'], timestamp: Number(block['timestamp']) };
}

/** Development nodes make a block only when there is a transaction, so the age of their last block says nothing. */
async function isIdle(chain: Chain): Promise<boolean> {
  if (!chain.network.isTestnet) {
    return false;
  }
  const version = await chain.rpc.call('web3_clientVersion', []).catch(() => '');
  return /^(anvil|hardhat)/i.test(String(version));
}
