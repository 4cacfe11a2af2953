import { formatUsdc } from '#kit/index.ts';
import { GIFTS_PER_HOUR } from './open-faucet.ts';
import { contractAddresses } from './read-artefact.ts';
import type { Chain } from './start-chain.ts';
import { FAUCET_AMOUNT_ATOMIC } from './test-token.ts';

interface Sandbox {
  chain: Pick<Chain, 'rpcUrl' | 'chainId' | 'token'>;
  /** Where this server is reached, without a slash at the end. */
  publicUrl: string;
  /** Base URL of the simulated OpenRouter, when it runs. */
  openRouterUrl?: string;
  /** Its keys by name: public, worth nothing. */
  openRouterKeys?: Readonly<Record<string, string>>;
}

/** The body of `GET /sandbox`: everything a buyer needs to try a payment, and what is not real here. */
export function describeSandbox({ chain, publicUrl, openRouterUrl, openRouterKeys }: Sandbox) {
  const { address, name, version, decimals } = chain.token;
  return {
    mode: 'sandbox',
    network: `eip155:${chain.chainId}`,
    networkV1: 'base-sepolia',
    chainId: chain.chainId,
    rpcUrl: chain.rpcUrl,
    asset: { address, symbol: 'USDC', decimals },
    domain: { name, version, chainId: chain.chainId, verifyingContract: address },
    contracts: contractAddresses,
    faucet: {
      method: 'POST',
      url: `${publicUrl}/sandbox/faucet`,
      body: { address: '0x…' },
      amountUsdc: formatUsdc(FAUCET_AMOUNT_ATOMIC),
      limitPerAddress: `${GIFTS_PER_HOUR} per hour`,
    },
    ...(openRouterUrl ? { openRouterUrl } : {}),
    ...(openRouterKeys ? { openRouterKeys } : {}),
    simulated: [
      {
        what: 'chain',
        how: 'A local chain (anvil) with the chain id of Base Sepolia. Its transactions are real transactions there, and exist nowhere else.',
      },
      {
        what: 'asset',
        how: 'Test USDC at the address of USDC on Base Sepolia, with the same interface and signatures. It is worth nothing; anybody may mint it.',
      },
      ...(openRouterUrl
        ? [
            {
              what: 'upstream',
              how: 'A simulated OpenRouter answers for the models. Its answers and their usage are marked as simulated.',
            },
          ]
        : []),
      {
        what: 'mail',
        how: 'Mails are sent to nobody unless SMTP_URL is set. They are kept for the account that they are for: GET /api/sandbox/mails.',
      },
    ],
  };
}
