import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '#kit/index.ts';
import { readFees, raiseFees, type Fees } from './fees.ts';
import type { Chain } from './chain.ts';
import { isRecord, RpcError, type JsonRpc } from './json-rpc.ts';
import type { Log } from './settler.ts';
import { signTransaction, type SigningKey } from './sign-transaction.ts';

export interface Load {
  to: string;
  data: string;
  gasLimit: bigint;
}

/** One transaction to be sent. Called right before its first bytes leave; `null` calls it off. */
export type Shipment = () => Load | null;

/** `replaced`: another transaction took the nonce, so this one can never be mined. */
export type Fate =
  | { kind: 'mined'; receipt: Record<string, unknown> }
  | { kind: 'replaced' }
  | { kind: 'not_sent'; reason: 'cannot_reach_chain' | 'settler_out_of_gas' | 'called_off' }
  | { kind: 'stopped' };

export interface LaneTiming {
  /** Between two looks for the receipt, the first ones apart; five times as long after 5 s. */
  pollMs: number;
  /** Between two questions whether the nonce was used up; the transaction is sent again each time. */
  recheckMs: number;
  /** After this long without a receipt the fees are raised. */
  replaceAfterMs: number;
}

/** One key: sends one transaction at a time, so that its nonces have no gaps. */
export interface Lane {
  address: string;
  ship(shipment: Shipment): Promise<Fate>;
  stop(): void;
}

interface LaneOptions {
  key: SigningKey;
  chain: Pick<Chain, 'rpc' | 'network'>;
  timing: LaneTiming;
  clock: Clock;
  log: Log;
}

interface Prepared {
  nonce: number;
  fees: Fees;
}

interface Flight extends Prepared {
  load: Load;
  firstFees: Fees;
  raw: string;
  hashes: string[];
  sentAt: number;
  checkedAt: number;
  raisedAt: number;
}

type Sent = 'accepted' | 'unsure' | 'nonce_taken' | 'out_of_gas';

const NONCE_ATTEMPTS = 5;
/** The first looks for a receipt come faster: some chains answer within milliseconds. */
const FIRST_PAUSE_MS = 3;
const GAS_OF_A_PLAIN_TRANSFER = 21_000n;

interface LaneState extends LaneOptions {
  /** `null`: ask the chain. */
  nextNonce: number | null;
  isStopped: boolean;
}

export function openLane(options: LaneOptions): Lane {
  const lane: LaneState = { ...options, nextNonce: null, isStopped: false };
  return {
    address: lane.key.address,
    ship: (shipment) => ship(lane, shipment),
    stop: () => {
      lane.isStopped = true;
    },
  };
}

async function ship(lane: LaneState, shipment: Shipment): Promise<Fate> {
  for (let attempt = 1; attempt <= NONCE_ATTEMPTS; attempt += 1) {
    const prepared = await prepare(lane);
    if (!prepared) {
      return { kind: 'not_sent', reason: 'cannot_reach_chain' };
    }
    const load = lane.isStopped ? null : shipment();
    if (!load) {
      return { kind: 'not_sent', reason: 'called_off' };
    }
    const flight = takeOff(lane, prepared, load);
    const sent = await send(lane.chain.rpc, flight.raw);
    if (sent === 'accepted' || sent === 'unsure') {
      return track(lane, flight);
    }
    lane.nextNonce = null;
    // An endpoint that passes a transaction on twice answers for the second: the first may have been mined.
    const receipt = await findReceipt(lane, flight.hashes);
    if (receipt) {
      return { kind: 'mined', receipt };
    }
    if (sent === 'out_of_gas') {
      return { kind: 'not_sent', reason: 'settler_out_of_gas' };
    }
    await wait(lane.timing.pollMs * attempt);
  }
  return { kind: 'replaced' };
}

async function prepare(lane: LaneState): Promise<Prepared | null> {
  try {
    const [fees, nonce] = await Promise.all([
      readFees(lane.chain),
      lane.nextNonce ?? countTransactions(lane, 'pending'),
    ]);
    return { fees, nonce };
  } catch (error) {
    lane.log.warn({ err: error, lane: lane.key.address }, 'a settlement could not be prepared');
    return null;
  }
}

function takeOff(lane: LaneState, prepared: Prepared, load: Load): Flight {
  const { raw, hash } = sign(lane, prepared, load);
  const at = lane.clock.now();
  return { ...prepared, firstFees: prepared.fees, load, raw, hashes: [hash], sentAt: at, checkedAt: at, raisedAt: at };
}

async function track(lane: LaneState, flight: Flight): Promise<Fate> {
  const { timing, clock } = lane;
  for (let look = 0; ; look += 1) {
    const { receipt, isRead } = await readReceipts(lane, flight.hashes);
    if (receipt) {
      lane.nextNonce = flight.nonce + 1;
      return { kind: 'mined', receipt };
    }
    if (lane.isStopped) {
      return { kind: 'stopped' };
    }
    const isDue = clock.now() - flight.checkedAt >= timing.recheckMs;
    if (isDue && (await recheck(lane, flight, isRead)) === 'gone') {
      lane.nextNonce = null;
      await wait(timing.pollMs);
      const late = await findReceipt(lane, flight.hashes);
      return late ? { kind: 'mined', receipt: late } : { kind: 'replaced' };
    }
    const isFresh = clock.now() - flight.sentAt < 5000;
    await wait(isFresh ? Math.min(timing.pollMs, FIRST_PAUSE_MS * 2 ** look) : timing.pollMs * 5);
  }
}

/** `gone`: the nonce is used up and none of our transactions was mined with it. */
async function recheck(lane: LaneState, flight: Flight, isRead: boolean): Promise<'waiting' | 'gone'> {
  flight.checkedAt = lane.clock.now();
  const used = await countTransactions(lane, 'latest').catch(() => null);
  if (used !== null && used > flight.nonce) {
    return 'gone';
  }
  // Where nobody tells whether it is mined, paying more for it may be paying for nothing.
  const isOverdue = isRead && used !== null && lane.clock.now() - flight.raisedAt >= lane.timing.replaceAfterMs;
  if (isOverdue && used < flight.nonce) {
    await fillGap(lane, flight, used);
  }
  if (isOverdue) {
    raise(lane, flight);
  }
  await send(lane.chain.rpc, flight.raw);
  return 'waiting';
}

function raise(lane: LaneState, flight: Flight): void {
  flight.raisedAt = lane.clock.now();
  const raised = raiseFees(flight.fees, { first: flight.firstFees, network: lane.chain.network });
  if (!raised) {
    lane.log.error(
      { lane: lane.key.address, nonce: flight.nonce },
      'a settlement waits for its block at the highest fee',
    );
    return;
  }
  flight.fees = raised;
  const { raw, hash } = sign(lane, flight, flight.load);
  flight.raw = raw;
  flight.hashes.push(hash);
  lane.log.warn({ lane: lane.key.address, nonce: flight.nonce }, 'a settlement waits for its block: fees raised');
}

/** A transaction of an earlier run that nobody watches holds up all that follow: an empty one takes its place. */
async function fillGap(lane: LaneState, flight: Flight, nonce: number): Promise<void> {
  const load = { to: lane.key.address, data: '0x', gasLimit: GAS_OF_A_PLAIN_TRANSFER };
  const fees = raiseFees(flight.fees, { first: flight.firstFees, network: lane.chain.network }) ?? flight.fees;
  await send(lane.chain.rpc, sign(lane, { nonce, fees }, load).raw);
}

function sign(lane: LaneState, { nonce, fees }: Prepared, load: Load): { raw: string; hash: string } {
  return signTransaction(lane.key, { chainId: lane.chain.network.chainId, nonce, ...fees, ...load });
}

async function findReceipt(lane: LaneState, hashes: readonly string[]): Promise<Record<string, unknown> | null> {
  const { receipt } = await readReceipts(lane, hashes);
  return receipt;
}

/** `isRead`: the endpoint answered for every hash, so that no receipt means that there is none. */
async function readReceipts(lane: LaneState, hashes: readonly string[]) {
  const asked = hashes.map((hash) => lane.chain.rpc.call('eth_getTransactionReceipt', [hash]));
  const found = await Promise.allSettled(asked);
  const receipts = found.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  return {
    receipt: receipts.find((receipt) => isRecord(receipt)) ?? null,
    isRead: receipts.length === hashes.length,
  };
}

async function countTransactions(lane: LaneState, block: 'latest' | 'pending'): Promise<number> {
  return Number(await lane.chain.rpc.call('eth_getTransactionCount', [lane.key.address, block]));
}

async function send(rpc: JsonRpc, raw: string): Promise<Sent> {
  try {
    await rpc.call('eth_sendRawTransaction', [raw]);
    return 'accepted';
  } catch (error) {
    return error instanceof RpcError ? judgeRefusal(error.message) : 'unsure';
  }
}

/** Only what certainly means "not taken" counts as a refusal; everything else is treated as perhaps sent. */
function judgeRefusal(message: string): Sent {
  if (/already known|already imported|known transaction/i.test(message)) {
    return 'accepted';
  }
  if (/nonce too low|nonce.*already.*used|replacement transaction underpriced/i.test(message)) {
    return 'nonce_taken';
  }
  return /insufficient funds/i.test(message) ? 'out_of_gas' : 'unsure';
}
