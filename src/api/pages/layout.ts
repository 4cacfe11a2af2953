import { html } from 'hono/html';

/** Markup whose every part is escaped already. */
export type Markup = ReturnType<typeof html>;

interface Page {
  title: string;
  description: string;
  isSandbox: boolean;
  body: Markup;
}

// Everything invisible that could reorder or hide what stands next to it: controls, bidirectional marks, blanks without width.
const INVISIBLE = /[\p{Cc}--[\t\n]]|[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gv;

function strip(text: string): string {
  return text.replaceAll(INVISIBLE, '');
}

/** Text of strangers, isolated from the direction of the text around it. */
export function foreign(text: string): Markup {
  return html`<bdi>${strip(text)}</bdi>`;
}

/** A listing that can be scrolled with the keyboard. What cannot be seen in it is written as an escape. */
export function listing(caption: string, code: string): Markup {
  return html`<figure class="listing">
    <figcaption>${caption}</figcaption>
    <pre tabindex="0" role="region" aria-label="${caption}"><code>${escapeInvisible(code)}</code></pre>
  </figure>`;
}

function escapeInvisible(code: string): string {
  return code.replaceAll(INVISIBLE, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export async function toPage(page: Page): Promise<string> {
  const markup = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="description" content="${strip(page.description)}" />
        <title>${strip(page.title)}</title>
        <link rel="icon" href="/assets/mark.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/site.css" />
      </head>
      <body>
        <a class="skip" href="#content">Skip to content</a>
        <header>
          ${page.isSandbox ? sandboxStrip : ''}
          <div class="bar">
            <a class="mark" href="/"><img src="/assets/mark.svg" alt="" width="28" height="28" />farebox</a>
            <nav aria-label="Main">
              <a href="/resources">Resources</a>
              <a href="/docs#paid-call">How to call</a>
              <a href="/docs">Docs</a>
              ${page.isSandbox ? html`<a href="/sandbox">Sandbox</a>` : ''}
            </nav>
          </div>
        </header>
        <main id="content" tabindex="-1">${page.body}</main>
        <footer>
          <p>Farebox is open source under Apache-2.0. Payments follow <abbr title="HTTP 402 payments">x402</abbr>.</p>
          <nav aria-label="Footer">
            <a href="/docs">Docs</a>
            <a href="/api/openapi.json">OpenAPI</a>
            <a href="/healthz">Health</a>
            <a href="/readyz">Readiness</a>
          </nav>
        </footer>
      </body>
    </html>`;
  return markup.toString();
}

const sandboxStrip = html`<p class="strip">
  <strong>Sandbox</strong> Test money on a local chain; model answers are simulated.
  <a href="/sandbox">What is real here?</a>
</p>`;
