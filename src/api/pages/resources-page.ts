import { html } from 'hono/html';
import type { PublicResource } from '../public-resource.ts';
import { toPage } from './layout.ts';
import { ticket } from './ticket.ts';

interface Published {
  isSandbox: boolean;
  resources: readonly PublicResource[];
  /** Where the next page begins; null on the last one. */
  nextCursor: string | null;
}

/** Everything that is published, newest first. */
export function resourcesPage({ isSandbox, resources, nextCursor }: Published): Promise<string> {
  return toPage({
    title: 'Resources · Farebox',
    description: 'Everything that is published here, newest first.',
    isSandbox,
    body: html`<section aria-labelledby="resources">
      <h1 id="resources">Resources</h1>
      <p class="lead">Everything that is published here, newest first.</p>
      ${
        resources.length === 0
          ? html`<p class="empty">Nothing is published here yet.</p>`
          : html`<ul class="tickets">
              ${resources.map(ticket)}
            </ul>`
      }
      ${nextCursor === null ? '' : html`<p class="actions"><a class="button quiet" href="/resources?cursor=${nextCursor}">More</a></p>`}
    </section>`,
  });
}
