import type { Clock } from '#kit/index.ts';
import type { Network } from '../networks.ts';
import { openChainReader, type ChainReader } from './chain-reader.ts';
import { openJsonRpc, type JsonRpc } from './json-rpc.ts';

/** One network and the node through which we see it. */
export interface Chain {
  network: Network;
  rpc: JsonRpc;
  reader: ChainReader;
}

interface ChainOptions {
  network: Network;
  /** Without one the network's public endpoint is used. */
  rpcUrl: string | undefined;
  clock: Clock;
  timeoutMs?: number;
  /** Whose transactions are simulated where nobody else is named. */
  from?: string;
}

export function openChain(options: ChainOptions): Chain {
  const { network, clock, rpcUrl, timeoutMs, from } = options;
  const rpc = openJsonRpc({ url: rpcUrl ?? network.defaultRpcUrl, timeoutMs });
  return { network, rpc, reader: openChainReader({ network, rpc, clock, from }) };
}
