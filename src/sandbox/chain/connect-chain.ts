import { createTestClient, defineChain, http, publicActions, walletActions } from 'viem';

export const CHAIN_ID = 84532;
const POLLING_MS = 25;
const TIMEOUT_MS = 20_000;

/** A client of the local chain that reads, writes and uses anvil's own methods. */
export type ChainClient = ReturnType<typeof connectChain>;

export function connectChain(rpcUrl: string) {
  const chain = defineChain({
    id: CHAIN_ID,
    name: 'Farebox sandbox',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
    testnet: true,
  });
  return createTestClient({
    chain,
    mode: 'anvil',
    pollingInterval: POLLING_MS,
    cacheTime: 0,
    transport: http(rpcUrl, { retryCount: 0, timeout: TIMEOUT_MS }),
  })
    .extend(publicActions)
    .extend(walletActions);
}
