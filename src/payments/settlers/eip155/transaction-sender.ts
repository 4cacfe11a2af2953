import { setTimeout as wait } from 'node:timers/promises';
import { isObject, type Clock, type Log } from '#kit/index.ts';
import { readFees, raiseFees, type Fees } from './fees.ts';
import type { Eip155Chain } from './chain.ts';
import { RpcError, toQuantity, type JsonRpc } from './json-rpc.ts';
import { signTransaction, type SigningKey } from './sign-transaction.ts';

/** What a transaction is to do. */
export interface TransactionRequest {
  to: string;
  data: string;
  gasLimit: bigint;
}

/** Called right before the first bytes of the transaction leave; `null` cancels it. */
export type MakeRequest = () => TransactionRequest | null;

/** `replaced`: another transaction took the nonce, so this one can never be mined. */
export type SendResult =
  | { kind: 'mined'; receipt: Record<string, unknown> }
  | { kind: 'replaced' }
  | { kind: 'not_sent'; reason: 'cannot_reach_chain' | 'settler_out_of_gas' | 'cancelled' }
  | { kind: 'stopped' };

export interface SenderTiming {
  /** Between two looks for the receipt, the first ones apart; five times as long after 5 s. */
  pollMs: number;
  /** Between two questions whether the nonce was used up; the transaction is sent again each time. */
  recheckMs: number;
  /** After this long without a receipt the fees are raised. */
  replaceAfterMs: number;
}

/** One key: sends one transaction at a time, so that its nonces have no gaps. */
export interface TransactionSender {
  address: string;
  send(makeRequest: MakeRequest): Promise<SendResult>;
  stop(): void;
}

interface SenderOptions {
  key: SigningKey;
  chain: Pick<Eip155Chain, 'rpc' | 'network'>;
  timing: SenderTiming;
  clock: Clock;
  log: Log;
}

interface Prepared {
  nonce: number;
  fees: Fees;
}

interface SentTransaction extends Prepared {
  request: TransactionRequest;
  firstFees: Fees;
  raw: string;
  hashes: string[];
  sentAt: number;
  checkedAt: number;
  raisedAt: number;
}

type Broadcast = 'accepted' | 'unsure' | 'nonce_taken' | 'out_of_gas';

const NONCE_ATTEMPTS = 5;
/** The first looks for a receipt come faster: some chains answer within milliseconds. */
const FIRST_PAUSE_MS = 3;
const GAS_OF_A_PLAIN_TRANSFER = 21_000n;

interface SenderState extends SenderOptions {
  /** `null`: ask the chain. */
  nextNonce: number | null;
  isStopped: boolean;
}

export function openTransactionSender(options: SenderOptions): TransactionSender {
  const state: SenderState = { ...options, nextNonce: null, isStopped: false };
  return {
    address: state.key.address,
    send: (makeRequest) => send(state, makeRequest),
    stop: () => {
      state.isStopped = true;
    },
  };
}

async function send(state: SenderState, makeRequest: MakeRequest): Promise<SendResult> {
  for (let attempt = 1; attempt <= NONCE_ATTEMPTS; attempt += 1) {
    const prepared = await prepare(state);
    if (!prepared) {
      return { kind: 'not_sent', reason: 'cannot_reach_chain' };
    }
    const request = state.isStopped ? null : makeRequest();
    if (!request) {
      return { kind: 'not_sent', reason: 'cancelled' };
    }
    const sent = signFirst(state, prepared, request);
    const answer = await broadcast(state.chain.rpc, sent.raw);
    if (answer === 'accepted' || answer === 'unsure') {
      return awaitReceipt(state, sent);
    }
    state.nextNonce = null;
    // An endpoint that passes a transaction on twice answers for the second: the first may have been mined.
    const receipt = await findReceipt(state, sent.hashes);
    if (receipt) {
      return { kind: 'mined', receipt };
    }
    if (answer === 'out_of_gas') {
      return { kind: 'not_sent', reason: 'settler_out_of_gas' };
    }
    await wait(state.timing.pollMs * attempt);
  }
  return { kind: 'replaced' };
}

async function prepare(state: SenderState): Promise<Prepared | null> {
  try {
    const [fees, nonce] = await Promise.all([
      readFees(state.chain),
      state.nextNonce ?? countTransactions(state, 'pending'),
    ]);
    return { fees, nonce };
  } catch (error) {
    state.log.warn({ err: error, sender: state.key.address }, 'a settlement could not be prepared');
    return null;
  }
}

function signFirst(state: SenderState, prepared: Prepared, request: TransactionRequest): SentTransaction {
  const { raw, hash } = sign(state, prepared, request);
  const at = state.clock.now();
  return {
    ...prepared,
    firstFees: prepared.fees,
    request,
    raw,
    hashes: [hash],
    sentAt: at,
    checkedAt: at,
    raisedAt: at,
  };
}

async function awaitReceipt(state: SenderState, sent: SentTransaction): Promise<SendResult> {
  const { timing, clock } = state;
  for (let look = 0; ; look += 1) {
    const { receipt, isRead } = await readReceipts(state, sent.hashes);
    if (receipt) {
      state.nextNonce = sent.nonce + 1;
      return { kind: 'mined', receipt };
    }
    if (state.isStopped) {
      return { kind: 'stopped' };
    }
    const isDue = clock.now() - sent.checkedAt >= timing.recheckMs;
    if (isDue && (await recheck(state, sent, isRead)) === 'gone') {
      state.nextNonce = null;
      await wait(timing.pollMs);
      const late = await findReceipt(state, sent.hashes);
      return late ? { kind: 'mined', receipt: late } : { kind: 'replaced' };
    }
    const isFresh = clock.now() - sent.sentAt < 5000;
    await wait(isFresh ? Math.min(timing.pollMs, FIRST_PAUSE_MS * 2 ** look) : timing.pollMs * 5);
  }
}

/** `gone`: the nonce is used up and none of our transactions was mined with it. */
async function recheck(state: SenderState, sent: SentTransaction, isRead: boolean): Promise<'waiting' | 'gone'> {
  sent.checkedAt = state.clock.now();
  const used = await countTransactions(state, 'latest').catch(() => null);
  if (used !== null && used > sent.nonce) {
    return 'gone';
  }
  // Unless the endpoint says that it is not mined, raising its fee may be in vain.
  const isOverdue = isRead && used !== null && state.clock.now() - sent.raisedAt >= state.timing.replaceAfterMs;
  if (isOverdue && used < sent.nonce) {
    await fillGap(state, sent, used);
  }
  if (isOverdue) {
    raise(state, sent);
  }
  await broadcast(state.chain.rpc, sent.raw);
  return 'waiting';
}

function raise(state: SenderState, sent: SentTransaction): void {
  sent.raisedAt = state.clock.now();
  const raised = raiseFees(sent.fees, { first: sent.firstFees, network: state.chain.network });
  if (!raised) {
    state.log.error(
      { sender: state.key.address, nonce: sent.nonce },
      'a settlement is not mined yet, at the highest fee',
    );
    return;
  }
  sent.fees = raised;
  const { raw, hash } = sign(state, sent, sent.request);
  sent.raw = raw;
  sent.hashes.push(hash);
  state.log.warn({ sender: state.key.address, nonce: sent.nonce }, 'a settlement is not mined yet: fees raised');
}

/** A transaction of an earlier process that was never mined blocks all later nonces: an empty one takes its nonce. */
async function fillGap(state: SenderState, sent: SentTransaction, nonce: number): Promise<void> {
  const request = { to: state.key.address, data: '0x', gasLimit: GAS_OF_A_PLAIN_TRANSFER };
  const fees = raiseFees(sent.fees, { first: sent.firstFees, network: state.chain.network }) ?? sent.fees;
  await broadcast(state.chain.rpc, sign(state, { nonce, fees }, request).raw);
}

function sign(
  state: SenderState,
  { nonce, fees }: Prepared,
  request: TransactionRequest,
): { raw: string; hash: string } {
  return signTransaction(state.key, { chainId: state.chain.network.chainId, nonce, ...fees, ...request });
}

async function findReceipt(state: SenderState, hashes: readonly string[]): Promise<Record<string, unknown> | null> {
  const { receipt } = await readReceipts(state, hashes);
  return receipt;
}

/** `isRead`: the endpoint answered for every hash, so that no receipt means that there is none. */
async function readReceipts(state: SenderState, hashes: readonly string[]) {
  const asked = hashes.map((hash) => state.chain.rpc.call('eth_getTransactionReceipt', [hash]));
  const found = await Promise.allSettled(asked);
  const receipts = found.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  return {
    receipt: receipts.find((receipt) => isObject(receipt)) ?? null,
    isRead: receipts.length === hashes.length,
  };
}

async function countTransactions(state: SenderState, block: 'latest' | 'pending'): Promise<number> {
  const { chain, key } = state;
  return toQuantity(await chain.rpc.call('eth_getTransactionCount', [key.address, block]), 'a count of transactions');
}

async function broadcast(rpc: JsonRpc, raw: string): Promise<Broadcast> {
  try {
    await rpc.call('eth_sendRawTransaction', [raw]);
    return 'accepted';
  } catch (error) {
    return error instanceof RpcError ? judgeRefusal(error.message) : 'unsure';
  }
}

/** Only what certainly means "not taken" counts as a refusal; everything else is treated as perhaps sent. */
function judgeRefusal(message: string): Broadcast {
  if (/already known|already imported|known transaction/i.test(message)) {
    return 'accepted';
  }
  if (/nonce too low|nonce.*already.*used|replacement transaction underpriced/i.test(message)) {
    return 'nonce_taken';
  }
  return /insufficient funds/i.test(message) ? 'out_of_gas' : 'unsure';
}
