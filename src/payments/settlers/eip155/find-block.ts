import { isObject } from '#kit/index.ts';
import type { BlockRange } from '../../network.ts';
import { toQuantity, type JsonRpc } from './json-rpc.ts';

const FIRST_STEP = 1000;

/** A block made at `timestampSeconds` or before, at most `slack` (1000) blocks too old; 0 when the chain is younger. */
export async function findBlockBefore(
  rpc: JsonRpc,
  head: number,
  wanted: { timestampSeconds: number; slack?: number },
): Promise<number> {
  const { timestampSeconds, slack = FIRST_STEP } = wanted;
  let [old, young] = [head, head];
  for (let step = FIRST_STEP; old > 0 && (await readTimestamp(rpc, old)) > timestampSeconds; step *= 2) {
    young = old;
    old = Math.max(0, old - step);
  }
  while (young - old > slack) {
    const middle = Math.floor((old + young) / 2);
    if ((await readTimestamp(rpc, middle)) > timestampSeconds) {
      young = middle;
    } else {
      old = middle;
    }
  }
  return old;
}

/** Seconds since the epoch. */
export async function readTimestamp(rpc: JsonRpc, block: number): Promise<number> {
  const answer = await rpc.call('eth_getBlockByNumber', [`0x${block.toString(16)}`, false]);
  return toQuantity(isObject(answer) ? answer['timestamp'] : null, `block ${block}`);
}

/** The number of the latest block. */
export async function readHead(rpc: JsonRpc): Promise<number> {
  return toQuantity(await rpc.call('eth_blockNumber', []), 'its latest block');
}

/** See `Chain.findRange`. The older end may be up to 1000 blocks too old. */
export async function findRange(
  rpc: JsonRpc,
  { seconds, lagSeconds }: { seconds: number; lagSeconds: number },
): Promise<BlockRange> {
  const head = await readHead(rpc);
  const newest = (await readTimestamp(rpc, head)) - lagSeconds;
  return {
    toBlock: await findBlockBefore(rpc, head, { timestampSeconds: newest, slack: 1 }),
    fromBlock: await findBlockBefore(rpc, head, { timestampSeconds: newest - seconds }),
  };
}

/** See `Chain.findTime`. */
export async function findTime(rpc: JsonRpc, transaction: string): Promise<number | null> {
  const receipt = await rpc.call('eth_getTransactionReceipt', [transaction]);
  return isObject(receipt) ? readTimestamp(rpc, toQuantity(receipt['blockNumber'], 'the block of a receipt')) : null;
}
