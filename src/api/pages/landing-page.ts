import { html } from 'hono/html';
import { toResourcePath } from '#kit/index.ts';
import type { PublicResource } from '../public-resource.ts';
import { resourceUrl, toCurl, toFaucetCurl, toFetchProgram } from './call-snippets.ts';
import { listing, toPage, type Markup } from './layout.ts';
import { price, ticket } from './ticket.ts';

interface Landing {
  origin: string;
  isSandbox: boolean;
  resources: readonly PublicResource[];
}

const promises = [
  [
    'Never pay for nothing',
    'Your payment is settled only when a usable answer is there: an error, an empty answer or a timeout costs nothing. Where a creator is paid before, or at the first words, the offer says so, and the whole answer is owed until it is there.',
  ],
  ['Never work for nothing', 'One payment buys one answer, however often it is sent. A copy of it buys nothing.'],
  ['Nothing leaks', 'Prompts and provider keys stay with their creators. Answers go to whoever paid.'],
] as const;

/** What Farebox is, what its operator shows of it and how to call it. */
export function landingPage(landing: Landing): Promise<string> {
  const first = landing.resources.find((resource) => resource.offers.length > 0);
  return toPage({
    title: 'Farebox: AI endpoints, paid per call',
    description: 'Publish an AI endpoint without running a server and be paid per call in USDC over HTTP 402.',
    isSandbox: landing.isSandbox,
    body: html`${hero(first)} ${resources(landing.resources)} ${howToCall(landing, first)}
      <section aria-labelledby="promises">
        <h2 id="promises">What you can rely on</h2>
        <dl class="promises">
          ${promises.map(
            ([name, text]) =>
              html`<div>
                <dt>${name}</dt>
                <dd>${text}</dd>
              </div>`,
          )}
        </dl>
      </section>`,
  });
}

function hero(first: PublicResource | undefined): Markup {
  return html`<section class="hero">
    <div>
      <h1>AI endpoints with a price on the door.</h1>
      <p class="lead">
        A creator publishes a prompt on a model and sets a price. A program calls it, is told the price, pays in USDC
        and gets its answer, all in plain HTTP. Buyers need a wallet, not an account.
      </p>
      <p class="actions">
        ${first ? html`<a class="button" href="#call">Call one now</a>` : html`<a class="button" href="/resources">See what is published</a>`}
        <a class="button quiet" href="/docs">Read the docs</a>
      </p>
    </div>
    ${first ? exchange(first) : ''}
  </section>`;
}

function exchange(resource: PublicResource): Markup {
  const path = toResourcePath(resource.creator, resource.slug);
  return html`<ol class="exchange" aria-label="How a paid call goes">
    <li class="out"><code>POST ${path}</code></li>
    <li class="in">
      <code><b>402</b> Payment Required</code><span>${price(resource)}</span>
    </li>
    <li class="out"><code>POST ${path}</code><span>with a signed payment</span></li>
    <li class="in">
      <code><b>200</b> OK</code><span>the answer and a receipt</span>
    </li>
  </ol>`;
}

function resources(all: readonly PublicResource[]): Markup {
  return html`<section aria-labelledby="resources">
    <h2 id="resources">Chosen by the operator</h2>
    ${
      all.length === 0
        ? html`<p class="empty">The operator of this site has chosen nothing for this page yet.</p>`
        : html`<ul class="tickets">
            ${all.map(ticket)}
          </ul>`
    }
    <p class="actions"><a class="button quiet" href="/resources">Everything that is published here</a></p>
  </section>`;
}

function howToCall({ origin, isSandbox }: Landing, first: PublicResource | undefined): Markup {
  if (!first) {
    return html``;
  }
  return html`<section aria-labelledby="call">
    <h2 id="call">Call one</h2>
    <ol class="steps">
      <li>
        <h3>Ask for the price</h3>
        <p>
          Without a payment every call answers <code>402</code>. The offer stands in the
          <code>PAYMENT-REQUIRED</code> header, and in the body for older clients.
        </p>
        ${listing('Shell: the price', toCurl(origin, first))}
      </li>
      ${
        isSandbox
          ? html`<li>
              <h3>Take test money</h3>
              <p>
                The faucet gives 10 test USDC to any address. It is worth nothing elsewhere. No wallet yet? The program
                below makes one and fills it.
              </p>
              ${listing('Shell: the faucet', toFaucetCurl(origin))}
            </li>`
          : ''
      }
      <li>
        <h3>Pay and read the answer</h3>
        <p>
          An x402 client signs the payment and repeats the request by itself. This is the official one, unmodified;
          <a href="/resources/${first.creator}/${first.slug}">${resourceUrl(origin, first)}</a> is what it calls.
        </p>
        ${listing('JavaScript: the paid call', toFetchProgram({ origin, isSandbox }, first))}
      </li>
    </ol>
  </section>`;
}
