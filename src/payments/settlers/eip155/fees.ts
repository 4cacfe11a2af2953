import { isObject } from '#kit/index.ts';
import type { Eip155Network } from '../../networks.ts';
import { type JsonRpc } from './json-rpc.ts';

export interface Fees {
  maxPriorityFeePerGas: bigint;
  maxFeePerGas: bigint;
}

interface Endpoint {
  rpc: JsonRpc;
  network: Pick<Eip155Network, 'ceilings'>;
}

const GWEI = 1_000_000_000n;
const KEPT_MS = 5000;
/** A transaction that is not mined at ten times its first fee is held up by something other than its fee. */
const MAX_RAISE = 10n;
const FALLBACK_TIP = GWEI;

const known = new WeakMap<JsonRpc, { fees: Promise<Fees>; readAt: number }>();

/**
 * Twice the base fee of the latest block plus the tip that the node suggests, within the ceilings of the network: a node
 * is not trusted to spend our gas. Kept for 5 s per endpoint.
 */
export function readFees({ rpc, network }: Endpoint): Promise<Fees> {
  const kept = known.get(rpc);
  if (kept && performance.now() - kept.readAt < KEPT_MS) {
    return kept.fees;
  }
  const fees = askFees(rpc, network.ceilings);
  known.set(rpc, { fees, readAt: performance.now() });
  fees.catch(() => known.delete(rpc));
  return fees;
}

/**
 * A replacement has to pay at least a tenth more, or nodes keep the old transaction; `null` when that would be more than
 * ten times the `first` fees or than the ceilings of the network.
 */
export function raiseFees(fees: Fees, limits: { first: Fees; network: Pick<Eip155Network, 'ceilings'> }): Fees | null {
  const { first, network } = limits;
  const raise = (fee: bigint) => (fee * 5n) / 4n + 1n;
  const maxFeePerGas = raise(fees.maxFeePerGas);
  const highest = smaller(first.maxFeePerGas * MAX_RAISE, network.ceilings.feeGwei * GWEI);
  return maxFeePerGas > highest ? null : { maxPriorityFeePerGas: raise(fees.maxPriorityFeePerGas), maxFeePerGas };
}

async function askFees(rpc: JsonRpc, ceilings: Eip155Network['ceilings']): Promise<Fees> {
  const [block, tip] = await Promise.all([
    rpc.call('eth_getBlockByNumber', ['latest', false]),
    rpc.call('eth_maxPriorityFeePerGas', []).catch(() => null),
  ]);
  const baseFee = isObject(block) ? toAmount(block['baseFeePerGas']) : null;
  const maxPriorityFeePerGas = smaller(toAmount(tip) ?? FALLBACK_TIP, ceilings.tipGwei * GWEI);
  const wanted = (baseFee ?? 0n) * 2n + maxPriorityFeePerGas;
  return { maxPriorityFeePerGas, maxFeePerGas: smaller(wanted, ceilings.feeGwei * GWEI) };
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function toAmount(answer: unknown): bigint | null {
  return typeof answer === 'string' && /^0x[0-9a-f]{1,32}$/i.test(answer) ? BigInt(answer) : null;
}
