import { createTestClient, defineChain, http, publicActions, walletActions } from 'viem';

const POLLING_MS = 25;
const TIMEOUT_MS = 20_000;

/** A viem client of a local chain that reads, writes and uses anvil's own methods. */
export type ChainClient = ReturnType<typeof connectChain>;

export function connectChain(rpcUrl: string) {
  const chain = defineChain({
    id: 84532,
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
