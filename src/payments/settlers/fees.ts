import { isRecord, type JsonRpc } from './json-rpc.ts';

export interface Fees {
  maxPriorityFeePerGas: bigint;
  maxFeePerGas: bigint;
}

const KEPT_MS = 5000;
const FALLBACK_TIP = 1_000_000_000n;

const known = new WeakMap<JsonRpc, { fees: Promise<Fees>; readAt: number }>();

/** Twice the base fee of the latest block plus the tip that the node suggests; kept for 5 s per endpoint. */
export function readFees(rpc: JsonRpc): Promise<Fees> {
  const kept = known.get(rpc);
  if (kept && performance.now() - kept.readAt < KEPT_MS) {
    return kept.fees;
  }
  const fees = askFees(rpc);
  known.set(rpc, { fees, readAt: performance.now() });
  fees.catch(() => known.delete(rpc));
  return fees;
}

/** A replacement has to pay at least a tenth more, or nodes keep the old transaction. */
export function raiseFees(fees: Fees): Fees {
  const raise = (fee: bigint) => (fee * 5n) / 4n + 1n;
  return { maxPriorityFeePerGas: raise(fees.maxPriorityFeePerGas), maxFeePerGas: raise(fees.maxFeePerGas) };
}

async function askFees(rpc: JsonRpc): Promise<Fees> {
  const [block, tip] = await Promise.all([
    rpc.call('eth_getBlockByNumber', ['latest', false]),
    rpc.call('eth_maxPriorityFeePerGas', []).catch(() => null),
  ]);
  const baseFee = isRecord(block) ? toAmount(block['baseFeePerGas']) : null;
  const maxPriorityFeePerGas = toAmount(tip) ?? FALLBACK_TIP;
  return { maxPriorityFeePerGas, maxFeePerGas: (baseFee ?? 0n) * 2n + maxPriorityFeePerGas };
}

function toAmount(answer: unknown): bigint | null {
  return typeof answer === 'string' && /^0x[0-9a-f]{1,32}$/i.test(answer) ? BigInt(answer) : null;
}
