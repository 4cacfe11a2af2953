import { html } from 'hono/html';
import { z } from 'zod';
import type { Json } from '#kit/index.ts';
import { toFaucetCurl } from './call-snippets.ts';
import { listing, toPage, type Markup } from './layout.ts';

/** What the page needs of the facts; each may be missing. */
const shown = z.object({
  chainId: z.number().optional(),
  rpcUrl: z.string().optional(),
  asset: z.object({ address: z.string(), symbol: z.string() }).optional(),
  faucet: z.object({ amountUsdc: z.string(), limitPerAddress: z.string() }).optional(),
  openRouterUrl: z.string().optional(),
  openRouterKeys: z.record(z.string(), z.string()).optional(),
  simulated: z.array(z.object({ what: z.string(), how: z.string() })).default([]),
});

/** What is simulated here, for people; programs get the same facts as JSON. */
export function sandboxPage({ facts, origin }: { facts: Json; origin: string }): Promise<string> {
  const { chainId, rpcUrl, asset, faucet, openRouterUrl, openRouterKeys, simulated } = shown.parse(facts);
  const wallet: [string, unknown][] = [
    ['Chain id', chainId],
    ['RPC URL', rpcUrl && html`<code>${rpcUrl}</code>`],
    [asset?.symbol ?? 'Token', asset && html`<code>${asset.address}</code>`],
  ];
  const models: [string, unknown][] = [
    ['URL', openRouterUrl && html`<code>${openRouterUrl}</code>`],
    ...Object.entries(openRouterKeys ?? {}).map(([name, key]): [string, unknown] => [
      `Key: ${toWords(name)}`,
      html`<code>${key}</code>`,
    ]),
  ];
  return toPage({
    title: 'Sandbox · Farebox',
    description: 'What is simulated in this sandbox and how to get test money.',
    isSandbox: true,
    body: html`<article class="resource">
      <header>
        <h1>Sandbox</h1>
        <p class="lead">
          The protocol, the database, the signatures and the transactions are real. The chain runs on this machine and
          its USDC is worth nothing; model answers come from a simulator and say so.
        </p>
      </header>
      <section aria-labelledby="simulated">
        <h2 id="simulated">What is not real</h2>
        <dl class="promises">
          ${simulated.map(
            ({ what, how }) =>
              html`<div>
                <dt>${names.get(what) ?? what}</dt>
                <dd>${how}</dd>
              </div>`,
          )}
        </dl>
      </section>
      <section aria-labelledby="faucet">
        <h2 id="faucet">Test money</h2>
        <p>
          ${faucet ? `The faucet gives ${faucet.amountUsdc} test USDC to any address, ${faucet.limitPerAddress}.` : ''}
        </p>
        ${listing('Take test USDC', toFaucetCurl(origin))}
      </section>
      ${factsSection({ id: 'wallet', title: 'For a wallet', rows: wallet })}
      ${factsSection({ id: 'models', title: 'The simulated OpenRouter', rows: models })}
      <section aria-labelledby="programs">
        <h2 id="programs">For programs</h2>
        ${listing('The same as JSON', `curl ${origin}/sandbox`)}
      </section>
    </article>`,
  });
}

const names: ReadonlyMap<string, string> = new Map([
  ['chain', 'The chain'],
  ['asset', 'The money'],
  ['upstream', 'The models'],
  ['mail', 'Mails'],
]);

function factsSection(section: { id: string; title: string; rows: readonly [string, unknown][] }): Markup {
  const rows = section.rows.filter(([, value]) => value !== undefined);
  if (rows.length === 0) {
    return html``;
  }
  return html`<section aria-labelledby="${section.id}">
    <h2 id="${section.id}">${section.title}</h2>
    <dl class="facts-table">
      ${rows.map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </section>`;
}

/** `nearlyEmpty` -> `nearly empty` */
function toWords(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
}
