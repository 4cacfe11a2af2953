import type { Chain } from './chain.ts';
import { readTimestamp } from './find-block.ts';
import { isRecord } from './json-rpc.ts';
import { pairTransfers, toLogs, topics, type AuthorizedTransfer, type ChainLog } from './transfers.ts';

const SPAN = 1000;

interface BlockRange {
  fromBlock: number;
  toBlock: number;
}

export interface TransfersOfRange {
  transfers: AuthorizedTransfer[];
  /** Seconds since the epoch of the first and the last block. */
  fromTimestamp: number;
  toTimestamp: number;
}

/** All authorised transfers of the network's asset in the blocks given, both included. */
export async function readTransfers(chain: Chain, range: BlockRange): Promise<TransfersOfRange> {
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

/** All authorised transfers of one transaction; none when it is not known. */
export async function readTransfersOf(chain: Chain, transaction: string): Promise<AuthorizedTransfer[]> {
  const receipt = await chain.rpc.call('eth_getTransactionReceipt', [transaction]);
  return isRecord(receipt) ? pairTransfers(toLogs(receipt['logs'], chain.network.asset.address)) : [];
}

function toHex(value: number): string {
  return `0x${value.toString(16)}`;
}
