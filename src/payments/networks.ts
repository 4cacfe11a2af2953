import type { Network } from './network.ts';

/** An EVM chain and its USDC. */
export interface Eip155Network extends Network {
  chainId: number;
  /** `name` and `version` are the EIP-712 domain of the token, not what a wallet shows. */
  asset: { address: string; name: string; version: string; decimals: 6 };
  defaultRpcUrl: string;
  /** The most that our own settlements bid per unit of gas, whatever a node suggests: the tip at first, and all in all. */
  ceilings: { tipGwei: bigint; feeGwei: bigint };
}

/** EVM networks by CAIP-2 name. Assets and domains are those of `DEFAULT_ASSETS` in @x402/evm; networks.test.ts compares them. */
export const eip155Networks: Readonly<Record<string, Eip155Network>> = Object.fromEntries(
  [
    {
      caip2: 'eip155:8453',
      v1Name: 'base',
      chainId: 8453,
      name: 'Base',
      asset: usdc('0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913', 'USD Coin'),
      isTestnet: false,
      explorerTxUrl: 'https://basescan.org/tx/',
      defaultRpcUrl: 'https://mainnet.base.org',
      ceilings: { tipGwei: 1n, feeGwei: 20n },
    },
    {
      caip2: 'eip155:84532',
      v1Name: 'base-sepolia',
      chainId: 84532,
      name: 'Base Sepolia',
      asset: usdc('0x036CbD53842c5426634e7929541eC2318f3dCF7e', 'USDC'),
      isTestnet: true,
      explorerTxUrl: 'https://sepolia.basescan.org/tx/',
      defaultRpcUrl: 'https://sepolia.base.org',
      ceilings: { tipGwei: 2n, feeGwei: 100n },
    },
    {
      caip2: 'eip155:43114',
      v1Name: 'avalanche',
      chainId: 43114,
      name: 'Avalanche',
      asset: usdc('0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E', 'USD Coin'),
      isTestnet: false,
      explorerTxUrl: 'https://snowtrace.io/tx/',
      defaultRpcUrl: 'https://api.avax.network/ext/bc/C/rpc',
      ceilings: { tipGwei: 25n, feeGwei: 500n },
    },
    {
      caip2: 'eip155:137',
      v1Name: 'polygon',
      chainId: 137,
      name: 'Polygon',
      asset: usdc('0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359', 'USD Coin'),
      isTestnet: false,
      explorerTxUrl: 'https://polygonscan.com/tx/',
      defaultRpcUrl: 'https://polygon-rpc.com',
      ceilings: { tipGwei: 500n, feeGwei: 5000n },
    },
    {
      caip2: 'eip155:42220',
      v1Name: 'celo',
      chainId: 42220,
      name: 'Celo',
      asset: usdc('0xcebA9300f2b948710d2653dD7B07f33A8B32118C', 'USDC'),
      isTestnet: false,
      explorerTxUrl: 'https://celoscan.io/tx/',
      defaultRpcUrl: 'https://forno.celo.org',
      ceilings: { tipGwei: 50n, feeGwei: 1000n },
    },
  ].map((network): [string, Eip155Network] => [network.caip2, network]),
);

/** All networks that payments can be configured for, by CAIP-2 name. */
export const networks: Readonly<Record<string, Network>> = { ...eip155Networks };

function usdc(address: string, name: string): Eip155Network['asset'] {
  return { address, name, version: '2', decimals: 6 };
}
