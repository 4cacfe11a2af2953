import type { Sender } from '../../schemes/scheme.ts';
import {
  decodeAggregate3,
  encodeAggregate3,
  encodeIsValidSignature,
  ERC1271_MAGIC,
  MULTICALL3,
  type Call,
  type CallResult,
} from './call-data.ts';
import { RpcError, RpcUnreachable, toCallData, type JsonRpc } from './json-rpc.ts';

/** What a scheme asks about one payment: some views of the state, and the transaction that would settle it. */
export interface Inquiry {
  views: readonly Call[];
  transaction: Call;
  /** Inquiries with the same key never share an eth_call: the first simulated transaction would spend the second's money. */
  payer: string;
  /** Whether the failure of the transaction may have been caused by another one in the same eth_call. */
  isDoubtful(failed: CallResult): boolean;
}

export interface Inspection {
  views: readonly CallResult[];
  transaction: CallResult;
}

export interface ChainReader {
  /**
   * All inquiries of one turn of the event loop share one eth_call, except those with a gas limit. Rejects with
   * RpcUnreachable or RpcError when the chain cannot tell.
   */
  inspect(inquiry: Inquiry, sender?: Sender): Promise<Inspection>;
  hasCode(address: string): Promise<boolean>;
  /** ERC-1271. */
  isValidSignature(wallet: string, digest: Buffer, signature: string): Promise<boolean>;
}

interface Waiting {
  inquiry: Inquiry;
  from: string | undefined;
  resolve(inspection: Inspection): void;
  reject(error: unknown): void;
}

/** 50 simulated transfers stay below the gas that nodes commonly allow an eth_call. */
const MAX_GROUP = 50;
const MULTICALL_RECHECK_MS = 60_000;

interface ReaderOptions {
  rpc: JsonRpc;
  clock: { now(): number };
  /**
   * The sender of simulated transactions where the question names none. Not the zero address: a contract could tell by it
   * that it is being simulated.
   */
  from?: string | undefined;
}

export function openChainReader({ rpc, clock, from: usualFrom }: ReaderOptions): ChainReader {
  const hasCode = async (address: string) => isCode(await rpc.call('eth_getCode', [address, 'latest']));
  const callAll = openCalls(rpc, rememberMulticall(hasCode, clock));
  let queue: Waiting[] = [];

  async function inspectGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const results = await callAll(
        group.flatMap(({ inquiry }) => toCalls(inquiry)),
        { from: group[0]?.from },
      );
      for (const waiting of group) {
        const inspection = toInspection(results.splice(0, waiting.inquiry.views.length + 1));
        const { transaction } = inspection;
        // A hostile wallet can burn the gas of the shared call: what that may have caused is asked again, alone.
        if (group.length > 1 && !transaction.success && waiting.inquiry.isDoubtful(transaction)) {
          void inspectGroup([waiting]);
        } else {
          waiting.resolve(inspection);
        }
      }
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
    hasCode,
    inspect: (inquiry, sender = {}) =>
      new Promise((resolve, reject) => {
        const waiting = { inquiry, from: sender.from ?? usualFrom, resolve, reject };
        if (sender.gasLimit !== undefined) {
          inspectExactly(rpc, waiting, sender).then(resolve, reject);
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
    const results = decodeAggregate3(`0x${toCallData(answer)}`, calls.length);
    if (!results) {
      throw new RpcUnreachable('the RPC endpoint answered something that Multicall3 does not');
    }
    return results;
  };
}

/** The transaction by itself, with the limits that it would be sent with. */
async function inspectExactly(rpc: JsonRpc, waiting: Waiting, sender: Sender): Promise<Inspection> {
  const { from, inquiry } = waiting;
  const [transaction, ...views] = await Promise.all([
    ethCall(rpc, inquiry.transaction, { ...sender, from }),
    ...inquiry.views.map((call) => ethCall(rpc, call, { from })),
  ]);
  return { views, transaction };
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
    return { success: true, data: toCallData(data) };
  } catch (error) {
    if (error instanceof RpcError && isRevert(error)) {
      return { success: false, data: error.data?.slice(2) ?? Buffer.from(error.message).toString('hex') };
    }
    throw error;
  }
}

function toCalls({ views, transaction }: Inquiry): Call[] {
  return [...views, transaction];
}

/** The last of the results is the transaction's. */
function toInspection(results: readonly CallResult[]): Inspection {
  const transaction = results.at(-1);
  if (!transaction) {
    throw new RpcUnreachable('the RPC endpoint left a call of Multicall3 unanswered');
  }
  return { views: results.slice(0, -1), transaction };
}

/** No payer twice in a group. */
function toGroups(waiting: readonly Waiting[]): Waiting[][] {
  const groups: { from: string | undefined; payers: Set<string>; members: Waiting[] }[] = [];
  for (const item of waiting) {
    const { payer } = item.inquiry;
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
