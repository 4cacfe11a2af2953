import { html } from 'hono/html';
import type { Json } from '#kit/index.ts';
import { toFaucetCurl } from './call-snippets.ts';
import { listing, toPage, type Markup } from './layout.ts';

/** What is simulated here, for people; programs get the same facts as JSON. */
export function sandboxPage({ facts, origin }: { facts: Json; origin: string }): Promise<string> {
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
      <section aria-labelledby="facts">
        <h2 id="facts">Facts</h2>
        ${toMarkup(facts)}
      </section>
      <section aria-labelledby="faucet">
        <h2 id="faucet">Faucet</h2>
        ${listing('Take 10 test USDC', toFaucetCurl(origin))}
      </section>
    </article>`,
  });
}

function toMarkup(value: Json): Markup {
  if (Array.isArray(value)) {
    return html`<ul class="plain">
      ${value.map((item) => html`<li>${toMarkup(item)}</li>`)}
    </ul>`;
  }
  if (value !== null && typeof value === 'object') {
    return html`<dl class="facts-table">
      ${Object.entries(value).map(
        ([name, item]) =>
          html`<div>
            <dt>${toWords(name)}</dt>
            <dd>${toMarkup(item)}</dd>
          </div>`,
      )}
    </dl>`;
  }
  return html`${String(value)}`;
}

/** `rpcUrl` -> `RPC URL` */
function toWords(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replaceAll(/\b(rpc|url|id|usdc)\b/g, (word) => word.toUpperCase())
    .replace('open router', 'OpenRouter');
}
