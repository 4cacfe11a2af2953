import { parseAddress } from '#kit/index.ts';
import type { Chain, ChainOptions, NetworkFamily } from '../../network.ts';
import { eip155Networks as networks, type Eip155Network } from '../../networks.ts';
import { openChainReader, type ChainReader } from './chain-reader.ts';
import { findRange, findTime } from './find-block.ts';
import { openJsonRpc, type JsonRpc } from './json-rpc.ts';

/** An EVM chain, seen through one node. */
export interface Eip155Chain extends Chain {
  network: Eip155Network;
  rpc: JsonRpc;
  reader: ChainReader;
}

const TRANSACTION = /^0x[0-9a-f]{64}$/i;

export const eip155: NetworkFamily<Eip155Chain> = {
  name: 'eip155',
  networks,
  openChain,
  parsePayee,
  parseTransaction: (text) => (TRANSACTION.test(text) ? text.toLowerCase() : null),
};

function parsePayee(text: string): { value: string } | { message: string } {
  const address = parseAddress(text);
  if (address === null) {
    return { message: 'Give the address that is paid: 0x and 40 hex digits, with a correct checksum if mixed.' };
  }
  return BigInt(address) === 0n ? { message: 'Nobody owns this address.' } : { value: address };
}

function openChain(options: ChainOptions): Eip155Chain {
  const { clock, rpcUrl, timeoutMs, from } = options;
  const network = networks[options.network];
  if (!network) {
    throw new Error(`"${options.network}" is not a known EVM network.`);
  }
  const rpc = openJsonRpc({ url: rpcUrl ?? network.defaultRpcUrl, timeoutMs });
  return {
    network,
    rpc,
    reader: openChainReader({ rpc, clock, from }),
    findReceipt: (transaction) => rpc.call('eth_getTransactionReceipt', [transaction]),
    findTime: (transaction) => findTime(rpc, transaction),
    findRange: (window) => findRange(rpc, window),
    close: () => rpc.close(),
  };
}
