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

/** Without `rpcUrl` the network's public endpoint is used. */
export function openChain(options: { network: Network; rpcUrl: string | undefined; clock: Clock }): Chain {
  const { network, clock } = options;
  const rpc = openJsonRpc({ url: options.rpcUrl ?? network.defaultRpcUrl });
  return { network, rpc, reader: openChainReader({ network, rpc, clock }) };
}
