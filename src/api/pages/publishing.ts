import { html } from 'hono/html';
import type { KindView } from '#resources/index.ts';
import { listing, type Markup } from './layout.ts';

interface Publishing {
  origin: string;
  isSandbox: boolean;
  kinds: readonly KindView[];
}

/** From nothing to a resource that is sold, as programs to copy; a test runs them as they are printed. */
export function publishing({ origin, isSandbox, kinds }: Publishing): Markup {
  const examples = kinds.flatMap((kind) => kind.examples.map((example) => ({ ...example, kind })));
  return html`<section aria-labelledby="publishing">
      <h2 id="publishing">Publishing</h2>
      <p>
        Sign up, sign in and make an API key. A session may change things only with this site's <code>Origin</code>; a
        key needs none.
      </p>
      ${listing('1. An account and an API key', account(origin))}
      <p>Store the key of the upstream that your resources run on. It is tested, encrypted and never shown again.</p>
      ${listing('2. The key of your upstream', upstreamKey(isSandbox))}
      <p>
        Save one of the drafts below as <code>draft.json</code> and what a buyer sends as <code>input.json</code>. What
        can never be right is refused when it is saved; what is still missing comes back as <code>problems</code>, and
        what may not be meant as <code>warnings</code>, with every save and from <code>validate</code>.
      </p>
      ${listing('3. Make, check, publish, and try it without a payment', publish)}
      <p>
        Buyers call an unchanging version: an edit (<code>PATCH /api/resources/{id}</code>) is a draft until it is
        published. <code>settlementPoint</code> says when money moves: <code>on_success</code>,
        <code>at_first_output</code> (its text goes out while it is written, to buyers who ask for
        <code>text/event-stream</code>) or <code>upfront</code>, as far as the kind can do it.
      </p>
    </section>
    <section aria-labelledby="drafts">
      <h2 id="drafts">Drafts to begin with</h2>
      <p>
        <code>{name}{/name}</code> in a template stands for the value of the parameter <code>name</code>, put in
        literally and once. Every parameter stands in a template and every tag names a parameter; a backslash before a
        tag keeps it as text. Put your own address into <code>payTo</code>.
      </p>
      ${examples.map(
        ({ draft, input, kind }) =>
          html`<h3>${String(draft['name'])} (<code>${kind.name}</code>)</h3>
            ${listing(`draft.json: ${String(draft['slug'])}`, toText(draft))}
            ${listing(`input.json: ${String(draft['slug'])}`, toText(input))}`,
      )}
    </section>
    <section aria-labelledby="kinds">
      <h2 id="kinds">Kinds and their configuration</h2>
      ${kinds.map((kind) => kindTable(kind))}
    </section>`;
}

const toText = (value: unknown): string => JSON.stringify(value, null, 2);

function account(origin: string): string {
  return `FAREBOX=${origin}
JSON='Content-Type: application/json'

curl -sS $FAREBOX/api/auth/sign-up/email -H "$JSON" -H "Origin: $FAREBOX" \\
  -d '{"email":"you@example.com","password":"a long sentence of yours","name":"You","username":"your-name"}'
curl -sS -c cookies.txt $FAREBOX/api/auth/sign-in/email -H "$JSON" -H "Origin: $FAREBOX" \\
  -d '{"email":"you@example.com","password":"a long sentence of yours"}'

MADE=$(curl -sS -b cookies.txt $FAREBOX/api/user/api-keys -H "$JSON" -H "Origin: $FAREBOX" \\
  -d '{"label":"laptop","scopes":["resources:read","resources:write","integrations:write","usage:read"]}')
echo "$MADE"   # "secret" is the key, shown this once
KEY=$(echo "$MADE" | sed -nE 's/.*"secret":"([^"]+)".*/\\1/p')
AUTH="Authorization: Bearer $KEY"`;
}

function upstreamKey(isSandbox: boolean): string {
  const key = isSandbox
    ? `OPENROUTER_KEY=$(curl -sS $FAREBOX/sandbox | sed -nE 's/.*"healthy":"([^"]+)".*/\\1/p')   # of the simulated OpenRouter`
    : 'OPENROUTER_KEY=sk-or-…';
  return `${key}
curl -sS --fail-with-body -X PUT $FAREBOX/api/user/integrations/openrouter -H "$AUTH" -H "$JSON" \\
  -d "{\\"apiKey\\":\\"$OPENROUTER_KEY\\"}"`;
}

const publish = `DRAFT=$(curl -sS $FAREBOX/api/resources -H "$AUTH" -H "$JSON" -d @draft.json)
echo "$DRAFT"   # what was made, or what stands against it
ID=$(echo "$DRAFT" | sed -nE 's/.*"id":"([^"]+)".*/\\1/p')
URL=$(echo "$DRAFT" | sed -nE 's/.*"url":"([^"]+)".*/\\1/p')

curl -sS --fail-with-body -X POST $FAREBOX/api/resources/$ID/validate -H "$AUTH"
curl -sS --fail-with-body -X POST $FAREBOX/api/resources/$ID/publish -H "$AUTH"
# A text takes a few seconds, a picture about 15 s.
curl -sS --fail-with-body "$URL" -H "$AUTH" -H "$JSON" -H 'X-Owner-Test: true' -d @input.json
echo "$URL"`;

interface Described {
  type?: string;
  description?: string;
  enum?: readonly string[];
  default?: unknown;
}

function kindTable({ name, summary, configSchema }: KindView): Markup {
  const properties = Object.entries((configSchema['properties'] ?? {}) as Record<string, Described>);
  const required = new Set((configSchema['required'] ?? []) as string[]);
  return html`<h3><code>${name}</code></h3>
    <p>${summary}</p>
    <div class="scroll" tabindex="0" role="region" aria-label="Configuration of ${name}">
      <table>
        <thead>
          <tr>
            <th scope="col">In <code>config</code></th>
            <th scope="col">What it is</th>
            <th scope="col">Needed</th>
          </tr>
        </thead>
        <tbody>
          ${properties.map(
            ([field, described]) =>
              html`<tr>
                <th scope="row"><code>${field}</code></th>
                <td>${toWords(described)}</td>
                <td>${required.has(field) ? 'yes' : 'no'}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function toWords({ type = 'object', description, default: fallback }: Described): string {
  const unless = fallback === undefined ? '' : ` ${JSON.stringify(fallback)} unless told.`;
  return `${description ?? `A value of the type ${type}.`}${unless}`;
}
