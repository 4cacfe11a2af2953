import { isObject, keccak256, numberOf, textOf } from '#kit/index.ts';

/** A log of a transaction. Hashes and topics in lower case. */
export interface ChainLog {
  transaction: string;
  block: number;
  index: number;
  topics: string[];
  data: string;
}

/** The first topic of an event: the hash of its signature. */
export function toTopic(signature: string): string {
  return `0x${keccak256(signature).toString('hex')}`;
}

export function addressTopic(address: string): string {
  return `0x${address.slice(2).toLowerCase().padStart(64, '0')}`;
}

/** The logs of `asset` among what an RPC answered; what is not a log is left out. */
export function toLogs(answer: unknown, asset: string): ChainLog[] {
  return Array.isArray(answer) ? answer.flatMap((item) => toLog(item, asset.toLowerCase())) : [];
}

function toLog(item: unknown, asset: string): ChainLog[] {
  if (!isObject(item) || item['removed'] === true || textOf(item['address']).toLowerCase() !== asset) {
    return [];
  }
  const { transactionHash, blockNumber, logIndex, data } = item;
  const found = Array.isArray(item['topics']) ? item['topics'].map((value) => textOf(value).toLowerCase()) : [];
  return [
    {
      transaction: textOf(transactionHash).toLowerCase(),
      block: numberOf(blockNumber),
      index: numberOf(logIndex),
      topics: found,
      data: textOf(data),
    },
  ];
}
