import { html } from 'hono/html';
import { toResourcePath } from '#kit/index.ts';
import type { PublicResource } from '../public-resource.ts';
import { foreign, type Markup } from './layout.ts';

export function price(resource: PublicResource): string {
  return resource.priceUsdc === '0' ? 'Free' : `${resource.priceUsdc} USDC`;
}

/** A resource in a list: what it is on the left, its price on the stub. */
export function ticket(resource: PublicResource): Markup {
  const { creator, slug, stats } = resource;
  return html`<li class="sheet">
    <div class="ticket">
      <div class="body">
        <h3><a href="/resources/${creator}/${slug}">${foreign(resource.name)}</a></h3>
        <p class="by">by @${creator}</p>
        <p class="about">${foreign(resource.description)}</p>
        <p class="facts">
          ${resource.model ? html`<span>${foreign(resource.model)}</span>` : ''} <span>${resource.kind}</span>
          ${stats && stats.call_count > 0 ? html`<span>${stats.call_count.toLocaleString('en')} ${stats.call_count === 1 ? 'call' : 'calls'}</span>` : ''}
        </p>
        <code class="path">POST ${toResourcePath(creator, slug)}</code>
      </div>
      ${stub(resource)}
    </div>
  </li>`;
}

/** The part of a ticket that says the price. */
export function stub(resource: PublicResource): Markup {
  return html`<div class="stub">
    ${
      resource.priceUsdc === '0'
        ? html`<strong>Free</strong>`
        : html`<strong>${resource.priceUsdc}</strong><span>USDC per call</span>`
    }
    <span class="network">${resource.networkName}</span>
  </div>`;
}
