import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '#kit/index.ts';
import { readFees, raiseFees, type Fees } from './fees.ts';
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
  /** Between two looks for the receipt; five times as long after the first 5 s. */
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
  chainId: number;
  rpc: JsonRpc;
  timing: LaneTiming;
  clock: Clock;
  log: Log;
}

interface Flight {
  load: Load;
  nonce: number;
  fees: Fees;
  raw: string;
  hashes: string[];
  sentAt: number;
  checkedAt: number;
  raisedAt: number;
}

type Sent = 'accepted' | 'unsure' | 'nonce_taken' | 'out_of_gas';

const NONCE_ATTEMPTS = 5;
const GAS_OF_A_PLAIN_TRANSFER = 21_000n;

export function openLane(options: LaneOptions): Lane {
  const { key, rpc, clock, timing, log } = options;
  let nextNonce: number | null = null;
  let isStopped = false;

  const countTransactions = async (block: 'latest' | 'pending') =>
    Number(await rpc.call('eth_getTransactionCount', [key.address, block]));

  function sign(flight: Pick<Flight, 'nonce' | 'fees' | 'load'>): { raw: string; hash: string } {
    return signTransaction(key, { chainId: options.chainId, nonce: flight.nonce, ...flight.fees, ...flight.load });
  }

  async function findReceipt(hashes: readonly string[]): Promise<Record<string, unknown> | null> {
    const found = await Promise.allSettled(hashes.map((hash) => rpc.call('eth_getTransactionReceipt', [hash])));
    const receipts = found.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    return receipts.find((receipt) => isRecord(receipt)) ?? null;
  }

  async function raise(flight: Flight): Promise<void> {
    flight.fees = raiseFees(flight.fees);
    const { raw, hash } = sign(flight);
    flight.raw = raw;
    flight.hashes.push(hash);
    flight.raisedAt = clock.now();
    log.warn({ lane: key.address, nonce: flight.nonce }, 'a settlement waits for its block: fees raised');
  }

  /** A transaction of an earlier run that nobody watches holds up all that follow: an empty one takes its place. */
  async function fillGap(flight: Flight, nonce: number): Promise<void> {
    const load = { to: key.address, data: '0x', gasLimit: GAS_OF_A_PLAIN_TRANSFER };
    await send(rpc, sign({ nonce, fees: raiseFees(flight.fees), load }).raw);
  }

  /** `gone`: the nonce is used up and none of our transactions was mined with it. */
  async function recheck(flight: Flight): Promise<'waiting' | 'gone'> {
    flight.checkedAt = clock.now();
    const used = await countTransactions('latest').catch(() => null);
    if (used !== null && used > flight.nonce) {
      return 'gone';
    }
    const isOverdue = clock.now() - flight.raisedAt >= timing.replaceAfterMs;
    if (isOverdue && used !== null && used < flight.nonce) {
      await fillGap(flight, used);
    }
    if (isOverdue) {
      await raise(flight);
    }
    await send(rpc, flight.raw);
    return 'waiting';
  }

  async function track(flight: Flight): Promise<Fate> {
    for (;;) {
      const receipt = await findReceipt(flight.hashes);
      if (receipt) {
        nextNonce = flight.nonce + 1;
        return { kind: 'mined', receipt };
      }
      if (isStopped) {
        return { kind: 'stopped' };
      }
      const isDue = clock.now() - flight.checkedAt >= timing.recheckMs;
      if (isDue && (await recheck(flight)) === 'gone') {
        nextNonce = null;
        await wait(timing.pollMs);
        const late = await findReceipt(flight.hashes);
        return late ? { kind: 'mined', receipt: late } : { kind: 'replaced' };
      }
      const isFresh = clock.now() - flight.sentAt < 5000;
      await wait(isFresh ? timing.pollMs : timing.pollMs * 5);
    }
  }

  async function prepare(): Promise<Pick<Flight, 'fees' | 'nonce'> | null> {
    try {
      const [fees, nonce] = await Promise.all([readFees(rpc), nextNonce ?? countTransactions('pending')]);
      return { fees, nonce };
    } catch (error) {
      log.warn({ err: error, lane: key.address }, 'a settlement could not be prepared');
      return null;
    }
  }

  function takeOff(prepared: Pick<Flight, 'fees' | 'nonce'>, load: Load): Flight {
    const { raw, hash } = sign({ ...prepared, load });
    const at = clock.now();
    return { ...prepared, load, raw, hashes: [hash], sentAt: at, checkedAt: at, raisedAt: at };
  }

  async function ship(shipment: Shipment): Promise<Fate> {
    for (let attempt = 1; attempt <= NONCE_ATTEMPTS; attempt += 1) {
      const prepared = await prepare();
      if (!prepared) {
        return { kind: 'not_sent', reason: 'cannot_reach_chain' };
      }
      const load = isStopped ? null : shipment();
      if (!load) {
        return { kind: 'not_sent', reason: 'called_off' };
      }
      const flight = takeOff(prepared, load);
      const sent = await send(rpc, flight.raw);
      if (sent === 'accepted' || sent === 'unsure') {
        return track(flight);
      }
      nextNonce = null;
      // An endpoint that passes a transaction on twice answers for the second: the first may have been mined.
      const receipt = await findReceipt(flight.hashes);
      if (receipt) {
        return { kind: 'mined', receipt };
      }
      if (sent === 'out_of_gas') {
        return { kind: 'not_sent', reason: 'settler_out_of_gas' };
      }
      await wait(timing.pollMs * attempt);
    }
    return { kind: 'replaced' };
  }

  return {
    address: key.address,
    ship,
    stop: () => {
      isStopped = true;
    },
  };
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
