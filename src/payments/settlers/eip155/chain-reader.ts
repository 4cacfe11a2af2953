import type { Network } from '../networks.ts';
import type { Payment } from '../payment.ts';
import {
  decodeAggregate3,
  decodeRevert,
  encodeAggregate3,
  encodeAuthorizationState,
  encodeBalanceOf,
  encodeIsValidSignature,
  encodeTransfer,
  ERC1271_MAGIC,
  MULTICALL3,
  type Call,
  type CallResult,
} from './call-data.ts';
import type { Fees } from './fees.ts';
import { RpcError, RpcUnreachable, type JsonRpc } from './json-rpc.ts';

/** What the chain says about a payment now. */
export interface Inspection {
  isUsed: boolean;
  balanceAtomic: bigint;
  /** Why the transfer would revert; `null` when it would go through. */
  revert: string | null;
}

/**
 * Who would send the transfer, and with what. A hostile wallet answers a simulation otherwise than a transaction where it
 * can tell them apart, so what matters is simulated exactly as it would be sent: with a gas limit, and alone.
 */
export interface Sender {
  from?: string;
  gasLimit?: bigint;
  fees?: Fees;
}

export interface ChainReader {
  network: Network;
  /**
   * Nonce, balance and a simulated transfer. All inspections of one turn of the event loop share one eth_call, except
   * those with a gas limit. Rejects with RpcUnreachable or RpcError when the chain cannot tell.
   */
  inspect(payment: Payment, sender?: Sender): Promise<Inspection>;
  hasCode(address: string): Promise<boolean>;
  /** ERC-1271. */
  isValidSignature(wallet: string, digest: Buffer, signature: string): Promise<boolean>;
}

interface Waiting {
  payment: Payment;
  from: string | undefined;
  resolve(inspection: Inspection): void;
  reject(error: unknown): void;
}

const CALLS_EACH = 3;
/** 50 simulated transfers stay below the gas that nodes commonly allow an eth_call. */
const MAX_GROUP = 50;
const MULTICALL_RECHECK_MS = 60_000;

interface ReaderOptions {
  network: Network;
  rpc: JsonRpc;
  clock: { now(): number };
  /** Whose transactions are simulated where nobody else is named; never the zero address, which nobody sends from. */
  from?: string | undefined;
}

export function openChainReader({ network, rpc, clock, from: usualFrom }: ReaderOptions): ChainReader {
  const asset = network.asset.address;
  const hasCode = async (address: string) => isCode(await rpc.call('eth_getCode', [address, 'latest']));
  const callAll = openCalls(rpc, rememberMulticall(hasCode, clock));
  let queue: Waiting[] = [];

  async function inspectGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const results = await callAll(
        group.flatMap(({ payment }) => toCalls(asset, payment)),
        { from: group[0]?.from },
      );
      group.forEach((waiting, index) => {
        const own = results.slice(index * CALLS_EACH, (index + 1) * CALLS_EACH);
        // A hostile wallet can burn the gas of the shared call: what that may have caused is asked again, alone.
        if (group.length > 1 && own[2]?.success === false && !isExplained(own[2].data)) {
          void inspectGroup([waiting]);
        } else {
          settleInspection(waiting, own);
        }
      });
    } catch (error) {
      if (group.length > 1 && error instanceof RpcError) {
        group.forEach((waiting) => void inspectGroup([waiting]));
      } else {
        group.forEach((waiting) => waiting.reject(error));
      }
    }
  }

  function flush(): void {
    const waiting = queue;
    queue = [];
    toGroups(waiting).forEach((group) => void inspectGroup(group));
  }

  return {
    network,
    hasCode,
    inspect: (payment, sender = {}) =>
      new Promise((resolve, reject) => {
        const waiting = { payment, from: sender.from ?? usualFrom, resolve, reject };
        if (sender.gasLimit !== undefined) {
          inspectExactly({ rpc, asset }, waiting, sender).catch(reject);
        } else if (queue.push(waiting) === 1) {
          setImmediate(flush);
        }
      }),
    isValidSignature: async (wallet, digest, signature) => {
      const call = { target: wallet, data: encodeIsValidSignature(digest, signature) };
      const answer = await ethCall(rpc, call, { from: usualFrom });
      return answer.success && answer.data.length >= 64 && answer.data.startsWith(ERC1271_MAGIC);
    },
  };
}

/** One eth_call for all; single calls where there is no Multicall3. */
function openCalls(rpc: JsonRpc, hasMulticall: () => Promise<boolean>) {
  return async (calls: readonly Call[], sender: CallSender): Promise<CallResult[]> => {
    if (!(await hasMulticall())) {
      return Promise.all(calls.map((call) => ethCall(rpc, call, sender)));
    }
    const transaction = { ...toSender(sender), to: MULTICALL3, data: encodeAggregate3(calls) };
    const answer = await rpc.call('eth_call', [transaction, 'latest']);
    const results = decodeAggregate3(String(answer), calls.length);
    if (!results) {
      throw new RpcUnreachable('the RPC endpoint answered something that Multicall3 does not');
    }
    return results;
  };
}

/** The transfer by itself, with the limits of the transaction that would carry it. */
async function inspectExactly(on: { rpc: JsonRpc; asset: string }, waiting: Waiting, sender: Sender): Promise<void> {
  const calls = toCalls(on.asset, waiting.payment);
  const ask = (call: Call, index: number) =>
    ethCall(on.rpc, call, index === calls.length - 1 ? { ...sender, from: waiting.from } : { from: waiting.from });
  settleInspection(waiting, await Promise.all(calls.map(ask)));
}

type CallSender = Omit<Sender, 'from'> & { from: string | undefined };

function toSender({ from, gasLimit, fees }: CallSender): Record<string, string> {
  return {
    ...(from === undefined ? {} : { from }),
    ...(gasLimit === undefined ? {} : { gas: toHex(gasLimit) }),
    ...(fees === undefined
      ? {}
      : { maxFeePerGas: toHex(fees.maxFeePerGas), maxPriorityFeePerGas: toHex(fees.maxPriorityFeePerGas) }),
  };
}

async function ethCall(rpc: JsonRpc, call: Call, sender: CallSender): Promise<CallResult> {
  try {
    const data = await rpc.call('eth_call', [{ ...toSender(sender), to: call.target, data: call.data }, 'latest']);
    return { success: true, data: String(data).slice(2) };
  } catch (error) {
    if (error instanceof RpcError && isRevert(error)) {
      return { success: false, data: error.data?.slice(2) ?? Buffer.from(error.message).toString('hex') };
    }
    throw error;
  }
}

function toCalls(asset: string, payment: Payment): Call[] {
  return [
    encodeAuthorizationState(payment.payer, payment.nonce),
    encodeBalanceOf(payment.payer),
    encodeTransfer(payment),
  ].map((data) => ({ target: asset, data }));
}

function settleInspection(waiting: Waiting, results: readonly CallResult[]): void {
  const [state, balance, transfer] = results;
  if (state?.data.length !== 64 || balance?.data.length !== 64 || !transfer) {
    waiting.reject(new RpcUnreachable('there is no EIP-3009 token at the address of the asset'));
    return;
  }
  waiting.resolve({
    isUsed: BigInt(`0x${state.data}`) !== 0n,
    balanceAtomic: BigInt(`0x${balance.data}`),
    revert: transfer.success ? null : decodeRevert(transfer.data),
  });
}

function isExplained(revertData: string): boolean {
  return revertData.length >= 8 && !/signature/i.test(decodeRevert(revertData));
}

/** No payer twice in a group: the first simulated transfer would take the balance of the second. */
function toGroups(waiting: readonly Waiting[]): Waiting[][] {
  const groups: { from: string | undefined; payers: Set<string>; members: Waiting[] }[] = [];
  for (const item of waiting) {
    const { payer } = item.payment;
    const open = groups.find(
      (group) => group.from === item.from && group.members.length < MAX_GROUP && !group.payers.has(payer),
    );
    if (open) {
      open.payers.add(payer);
      open.members.push(item);
    } else {
      groups.push({ from: item.from, payers: new Set([payer]), members: [item] });
    }
  }
  return groups.map((group) => group.members);
}

function rememberMulticall(hasCode: (address: string) => Promise<boolean>, clock: { now(): number }) {
  let known: { has: boolean; at: number } | null = null;
  return async (): Promise<boolean> => {
    if (!known || (!known.has && clock.now() - known.at > MULTICALL_RECHECK_MS)) {
      known = { has: await hasCode(MULTICALL3), at: clock.now() };
    }
    return known.has;
  };
}

function isCode(answer: unknown): boolean {
  return typeof answer === 'string' && answer.length > 2;
}

/** Nodes say "execution reverted" with code 3 or -32000, or what the code ran into; anything else is trouble of theirs. */
function isRevert(error: RpcError): boolean {
  return error.code === 3 || error.data !== null || /revert|out ?of ?gas|opcode|invalid jump/i.test(error.message);
}

function toHex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
