import { keccak256 } from '#kit/index.ts';
import { isRecord } from './json-rpc.ts';

export const topics = {
  used: topic('AuthorizationUsed(address,bytes32)'),
  canceled: topic('AuthorizationCanceled(address,bytes32)'),
  transfer: topic('Transfer(address,address,uint256)'),
};

/** A transfer that an authorisation caused. All addresses and hashes in lower case. */
export interface AuthorizedTransfer {
  transaction: string;
  nonce: string;
  from: string;
  to: string;
  valueAtomic: bigint;
}

export interface ChainLog {
  transaction: string;
  block: number;
  index: number;
  topics: string[];
  data: string;
}

/**
 * Pairs each AuthorizationUsed with the Transfer that the token logs right after it. Looking for both anywhere in a
 * transaction would not do: a batch may hold two authorisations with one nonce, and another transfer that looks like the
 * second of them (tokens such as PYUSD do not even revert on a used nonce).
 */
export function pairTransfers(logs: readonly ChainLog[]): AuthorizedTransfer[] {
  const ordered = [...logs].sort((a, b) => a.block - b.block || a.index - b.index);
  return ordered.flatMap((log, position) => {
    const next = ordered[position + 1];
    const [kind, authorizer, nonce] = log.topics;
    if (kind !== topics.used || !authorizer || !nonce || next?.topics[0] !== topics.transfer) {
      return [];
    }
    const [, from = '', to = ''] = next.topics;
    const isPair = next.transaction === log.transaction && from === authorizer;
    return isPair
      ? [
          {
            transaction: log.transaction,
            nonce,
            from: toAddress(from),
            to: toAddress(to),
            valueAtomic: toBigInt(next.data),
          },
        ]
      : [];
  });
}

/** The logs of `asset` among what an RPC answered; what is not a log is left out. */
export function toLogs(answer: unknown, asset: string): ChainLog[] {
  return Array.isArray(answer) ? answer.flatMap((item) => toLog(item, asset.toLowerCase())) : [];
}

export function addressTopic(address: string): string {
  return `0x${address.slice(2).toLowerCase().padStart(64, '0')}`;
}

function toLog(item: unknown, asset: string): ChainLog[] {
  if (!isRecord(item) || item['removed'] === true || String(item['address']).toLowerCase() !== asset) {
    return [];
  }
  const { transactionHash, blockNumber, logIndex, data } = item;
  const found = Array.isArray(item['topics']) ? item['topics'].map((value) => String(value).toLowerCase()) : [];
  return [
    {
      transaction: String(transactionHash).toLowerCase(),
      block: Number(blockNumber),
      index: Number(logIndex),
      topics: found,
      data: String(data),
    },
  ];
}

function toAddress(word: string): string {
  return `0x${word.slice(-40)}`;
}

function toBigInt(data: string): bigint {
  return /^0x[0-9a-f]{64}$/i.test(data) ? BigInt(data) : -1n;
}

function topic(signature: string): string {
  return `0x${keccak256(signature).toString('hex')}`;
}
