import type { BlockRange } from '../../network.ts';
import type { Eip155Chain } from '../../settlers/eip155/chain.ts';
import { readTimestamp } from '../../settlers/eip155/find-block.ts';
import { toLogs, type ChainLog } from '../../settlers/eip155/logs.ts';
import type { TransfersOfRange } from '../scheme.ts';
import { pairTransfers, topics } from './transfers.ts';

const SPAN = 1000;

/** All authorised transfers of the network's asset in the blocks given, both included. */
export async function listTransfers(chain: Eip155Chain, range: BlockRange): Promise<TransfersOfRange> {
  const logs: ChainLog[] = [];
  const asset = chain.network.asset.address;
  for (let from = range.fromBlock; from <= range.toBlock; from += SPAN) {
    const answer = await chain.rpc.call('eth_getLogs', [
      {
        address: asset,
        fromBlock: toHex(from),
        toBlock: toHex(Math.min(range.toBlock, from + SPAN - 1)),
        topics: [[topics.used, topics.transfer]],
      },
    ]);
    logs.push(...toLogs(answer, asset));
  }
  return {
    transfers: pairTransfers(logs),
    fromTimestamp: await readTimestamp(chain.rpc, range.fromBlock),
    toTimestamp: await readTimestamp(chain.rpc, range.toBlock),
  };
}

function toHex(value: number): string {
  return `0x${value.toString(16)}`;
}
