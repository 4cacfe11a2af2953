import { html } from 'hono/html';
import { toResourcePath } from '#kit/index.ts';
import type { PublicResource } from '../public-resource.ts';
import { foreign, type Markup } from './layout.ts';

/** "0.01 USDC on Base or Polygon, 0.02 USDC on Celo". */
export function price({ offers }: Pick<PublicResource, 'offers'>): string {
  const prices = groupByPrice(offers).map(({ priceUsdc, networks }) => `${priceUsdc} USDC on ${networks}`);
  return prices.length === 0 ? 'Free' : prices.join(', ');
}

function groupByPrice(offers: PublicResource['offers']): { priceUsdc: string; networks: string }[] {
  return [...Map.groupBy(offers, toPrice)].map(([priceUsdc, same]) => {
    const names = [...new Set(same.map((offer) => offer.networkName))];
    return { priceUsdc, networks: [names.slice(0, -1).join(', '), ...names.slice(-1)].filter(Boolean).join(' or ') };
  });
}

function toPrice({ priceUsdc, fromUsdc }: PublicResource['offers'][number]): string {
  return fromUsdc === undefined || fromUsdc === priceUsdc ? priceUsdc : `${fromUsdc} to ${priceUsdc}`;
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
  const [first, ...others] = groupByPrice(resource.offers);
  if (!first) {
    return html`<div class="stub"><strong>Free</strong></div>`;
  }
  return html`<div class="stub">
    <strong>${first.priceUsdc}</strong><span>USDC per call</span>
    <span class="network">${first.networks}</span>
    ${others.map(({ priceUsdc, networks }) => html`<span>${priceUsdc} on ${networks}</span>`)}
  </div>`;
}
