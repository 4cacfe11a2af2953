import { toResourceUrl } from '#kit/index.ts';
import type { PublicResource } from '../public-resource.ts';

/** `'it''s'` for a POSIX shell: nothing inside is interpreted. */
function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export function resourceUrl(origin: string, resource: PublicResource): string {
  return toResourceUrl(origin, encodeURIComponent(resource.creator), encodeURIComponent(resource.slug));
}

/** Shows the 402: the price in the PAYMENT-REQUIRED header and, for version 1, in the body. */
export function toCurl(origin: string, resource: PublicResource): string {
  return `curl -i -X POST ${resourceUrl(origin, resource)} \\
  -H 'Content-Type: application/json' \\
  -d ${shellQuote(JSON.stringify(resource.inputExample))}`;
}

export function toFaucetCurl(origin: string): string {
  return `curl -X POST ${origin}/sandbox/faucet \\
  -H 'Content-Type: application/json' \\
  -d '{"address":"0x…your wallet…"}'`;
}

interface Program {
  origin: string;
  /** The program then makes a wallet of its own and asks the faucet to fill it. */
  isSandbox: boolean;
}

/** The whole paid call with the unmodified official client, which pays with `exact` on EVM networks. */
export function toFetchProgram({ origin, isSandbox }: Program, resource: PublicResource): string {
  const payable = resource.offers.filter(({ scheme, network }) => scheme === 'exact' && network.startsWith('eip155:'));
  const schemes = [...new Set(payable.map((offer) => offer.network))].map(
    (network) => `{ network: '${network}', client: new ExactEvmScheme(wallet) }`,
  );
  const body = JSON.stringify(resource.inputExample, null, 2).replaceAll('\n', '\n  ');
  return `// npm install @x402/fetch @x402/evm viem
${isSandbox ? '' : `import { env } from 'node:process';\n`}import { wrapFetchWithPaymentFromConfig } from '@x402/fetch';
import { ExactEvmScheme } from '@x402/evm';
import { ${isSandbox ? 'generatePrivateKey, ' : ''}privateKeyToAccount } from 'viem/accounts';

${isSandbox ? toTestWallet(origin) : 'const wallet = privateKeyToAccount(env.WALLET_KEY);'}
const payingFetch = wrapFetchWithPaymentFromConfig(fetch, {
  schemes: [${schemes.length > 1 ? `\n    ${schemes.join(',\n    ')},\n  ` : schemes.join('')}],
});

const answer = await payingFetch('${resourceUrl(origin, resource)}', {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(${body}),
});
console.log(await answer.json());`;
}

function toTestWallet(origin: string): string {
  return `const wallet = privateKeyToAccount(generatePrivateKey());
await fetch('${origin}/sandbox/faucet', {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ address: wallet.address }),
});
`;
}
