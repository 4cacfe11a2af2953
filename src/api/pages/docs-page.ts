import { html } from 'hono/html';
import { problemKinds, type BoundOperation } from '#kit/index.ts';
import type { KindView } from '#resources/index.ts';
import { toAuthPaths } from '../auth-paths.ts';
import { callPaths } from '../call-paths.ts';
import { openaiPaths } from '../openai/openai-paths.ts';
import { protocolPaths, sandboxPaths } from '../protocol-paths.ts';
import { toPage, type Markup } from './layout.ts';
import { publishing } from './publishing.ts';

interface Docs {
  origin: string;
  isSandbox: boolean;
  operations: readonly BoundOperation[];
  kinds: readonly KindView[];
}

/** The whole HTTP surface on one page, from the same declarations that serve it. */
export function docsPage({ origin, isSandbox, operations, kinds }: Docs): Promise<string> {
  const groups = Map.groupBy(operations, (operation) => operation.name.split('.')[0] ?? '');
  return toPage({
    title: 'Docs · Farebox',
    description: 'How to call a resource and how to publish one: every route, scope and problem code.',
    isSandbox,
    body: html`<article class="docs">
      <header>
        <h1>Docs</h1>
        <p class="lead">
          Everything is HTTP and JSON. Programs read <a href="/api/openapi.json">the OpenAPI document</a>.
        </p>
      </header>
      ${theCall(origin)} ${openaiClients(origin)} ${publishing({ origin, isSandbox, kinds })} ${afterwards(origin)}
      <section aria-labelledby="operations">
        <h2 id="operations">Operations</h2>
        ${[...groups].map(([name, members]) => operationTable(name, members.map(toRow)))}
        ${listByHand(isSandbox).map(([name, rows]) => operationTable(name, rows))}
      </section>
      ${problems()}
    </article>`,
  });
}

function theCall(origin: string): Markup {
  return html`<section aria-labelledby="paid-call">
    <h2 id="paid-call">The paid call</h2>
    <p>
      A resource lives at <code>${origin}/@creator/slug</code> and takes <code>POST</code> with a JSON body, or
      <code>GET</code> with its parameters in the query. <code>POST /api/execute</code> with
      <code>{"resourceId", "input"}</code> does the same by id. <code>${origin}/@creator/slug@3</code> (by id:
      <code>"version": 3</code>) is its third version, whatever was published later, until its creator withdraws it.
      <code>POST /api/resources/{id}/quote</code> with the input tells what a call would cost and whether the input
      fits; it runs nothing and needs no payment. Its creator calls it without a payment with
      <code>X-Owner-Test: true</code> and a session or API key.
    </p>
    <ol>
      <li>
        Without a payment the answer is <code>402</code>: x402 version 2 offers in the
        <code>PAYMENT-REQUIRED</code> header, the same for version 1 in the body, and the schema of the input.
      </li>
      <li>
        Repeat the request with <code>PAYMENT-SIGNATURE</code> (version 2) or <code>X-PAYMENT</code> (version 1). The
        input and the resource are checked first: a request that cannot be answered is refused and costs nothing. A file
        is given as an https URL, as a base64 data URL or as <code>upload:&lt;id&gt;</code>; a file that cannot be
        fetched or is not what <code>x-media</code> of the schema says is refused by name, uncharged.
      </li>
      <li>
        The answer is made, then the payment is settled, then you get the answer with its receipt (from the chat kinds
        <code>{response, images?, model, finishReason, usage, receipt}</code>, where a <code>finishReason</code> of
        <code>length</code> tells that the token limit cut the answer; models of other forms answer with
        <code>audio</code>, <code>video</code>, <code>embedding</code> or <code>results</code>, as the 402 shows) and
        <code>PAYMENT-RESPONSE</code>. A creator may choose to be paid earlier, which the resource's page and
        <code>extra.settlementPoint</code> of each offer say: an answer that is paid and does not come stays owed, and
        sending the same payment again runs it again without a new charge. The same holds for calls beyond what is done
        unpaid for one wallet, network, resource or creator: they are charged first, unless you accept the offer with
        <code>extra.paymentFlow: "authorization"</code> and rather get <code>429</code>.
      </li>
      <li>
        With <code>Accept: text/event-stream</code> the answer comes as events: <code>meta</code>, <code>delta</code>,
        <code>media</code>, <code>usage</code>, <code>receipt</code>, and at its end <code>done</code> or
        <code>error</code>; while it is made, where <code>settlementPoint</code> is <code>at_first_output</code>. A
        stream without an end has broken off: the same payment with <code>Last-Event-ID</code> goes on behind that
        event, and another <code>meta</code> voids what came before it. Nothing is charged before the first output, and
        the price once after it.
      </li>
      <li>
        If the settlement takes long the answer is <code>503 settlement_pending</code>, and if what was paid for could
        not be made yet <code>503 answer_owed</code>: send the same payment again, and never sign a second one. The same
        payment never buys twice.
      </li>
      <li>
        An answer that got lost on its way is kept for an hour: send the very same request again, header and all. Once
        it is settled everybody can read a payment on the chain, so clients that send nothing of the 402 back (version
        1) add <code>X-Farebox-Answer-Token</code> of the first answer, the random <code>Idempotency-Key</code> of their
        first request, or <code>SIGN-IN-WITH-X</code>; <code>403 buyer_unproven</code> says how.
      </li>
      <li>
        Files of an answer (pictures, sound, video, PDF) come as signed links that end when the resource&rsquo;s page
        says; the receipt names each with its SHA-256. They can be fetched in parts (<code>Range</code>). A file that a
        call needs can be sent before it: <code>POST /api/uploads</code> with its bytes as the body answers with an id
        that is good for an hour, and <code>upload:&lt;id&gt;</code> is then the value of the parameter.
      </li>
      <li>
        With <code>Prefer: respond-async</code>, and always where a resource runs long, the answer is
        <code>202</code> with a status URL in <code>Location</code>, a status token that is told once, and the receipt
        where the call is paid already. With <code>Authorization: Bearer</code> and that token the URL tells state and
        progress: at once, when the call has ended (<code>Prefer: wait=30</code>) or as server-sent events;
        <code>/result</code> below it gives the answer, kept for a day, and <code>DELETE</code> takes the call back
        while nothing is charged. With <code>X-Farebox-Callback</code> and an https URL you are called back with the end
        and the receipt, signed as Standard Webhooks describe with the <code>callbackSecret</code> of the 202.
      </li>
      <li>
        Where a resource says so, many inputs are one call: <code>POST /@creator/slug/batch</code> with
        <code>{"inputs": [{&hellip;}, &hellip;]}</code>. The 402 asks for what they cost together, the answer is a 202
        as above, and the result has one item for each input. Items that fail are named and owed: sending the same
        payment again runs them again without a charge.
      </li>
    </ol>
  </section>`;
}

function afterwards(origin: string): Markup {
  return html`<section aria-labelledby="afterwards">
    <h2 id="afterwards">Once it is published</h2>
    <ul>
      <li>
        <strong>Connect</strong> OpenRouter without pasting a key:
        <code>POST /api/user/integrations/openrouter/connect</code> answers with the address of its consent page.
      </li>
      <li>
        <strong>Examples</strong>: inputs that you keep with <code>POST /api/resources/{id}/examples</code> are run as
        your tests for each version that is published; buyers see the answers as <code>samples</code>, and you what
        changed since the version before.
      </li>
      <li>
        <strong>Prices that follow from the input</strong>: <code>priceFormula</code> of a draft, such as
        <code>{"baseUsdc": "0.01", "terms": [{"parameter": "text", "per": "character", "usdc": "0.00001"}]}</code>, asks
        each input for its own exact price; <code>priceUsdc</code> is then the most.
      </li>
      <li>
        <strong>Spend caps</strong>: <code>PUT /api/user/spend-caps</code> says what your keys, a resource or a payer
        may cost you a day; beyond it calls are refused uncharged until midnight UTC or a higher cap.
      </li>
      <li>
        <strong>Notices</strong>: <code>GET /api/user/notices</code> (scope <code>notices:read</code>) tells of keys,
        models, prices, margins and failing calls, and sends them by e-mail, webhook, Telegram and Discord once
        connected. Webhooks and callbacks go to public https hosts, and to those that this server's operator names in
        <code>WEBHOOK_ORIGINS</code> and <code>CALLBACK_ORIGINS</code>.
      </li>
      <li>
        <strong>Compare</strong> up to four models on the same inputs, within a cost that you state:
        <code>POST /api/resources/{id}/compare</code>.
      </li>
      <li>
        <strong>Versions</strong>: <code>GET /api/resources/{id}/versions</code> lists them,
        <code>…/{version}/diff</code> shows what one changed, <code>PATCH …/{version}</code> labels or withdraws one,
        and <code>POST /api/resources/{id}/rollback</code> publishes an earlier one anew. Buyers may call each as
        <code>${origin}/@creator/slug@{version}</code>.
      </li>
      <li>
        <strong>Dashboards</strong>: <code>GET /api/usage/summary</code>, <code>/series</code>,
        <code>/breakdown</code> and <code>/problems</code> tell revenue, cost, margin, calls, payers, errors and
        latencies; <code>GET /api/usage</code> lists the calls.
      </li>
    </ul>
  </section>`;
}

function openaiClients(origin: string): Markup {
  return html`<section aria-labelledby="openai">
    <h2 id="openai">With clients of OpenAI</h2>
    <p>
      Every published resource is a model id, <code>creator/slug</code> (or <code>creator/slug@3</code>), for any client
      of OpenAI with <code>${origin}/v1</code> as its base URL: <code>/chat/completions</code> and
      <code>/responses</code>, whole or streamed, and <code>/models</code>. Give the client a paying fetch, such as that
      of <code>@x402/fetch</code>, any text as its API key, and no retries of its own, since each request that it
      repeats is paid anew. With your API key (scope <code>resources:write</code>) your own resources run without a
      payment.
    </p>
    <p>
      The last message, which is the user&rsquo;s, fills <code>user_message</code> where the resource takes one, else
      its only text (or the one that is needed and not named); further parameters go by their names into
      <code>metadata</code>, <code>parameters</code> or the request itself, pictures, sound and files of the message
      into the parameter that takes such. What would change the answer and cannot reach the model, such as a system
      prompt or tools, is refused before anybody pays. Earlier messages of user and assistant, and what only shapes the
      text (<code>temperature</code>, <code>max_tokens</code> …), are left out: the 402 tells so in
      <code>X-Farebox-Ignored</code>, the answer in <code>farebox.ignored</code> too. The receipt is
      <code>farebox.receipt</code>; errors are OpenAI&rsquo;s, with our <code>code</code> and <code>charged</code>.
    </p>
  </section>`;
}

interface Row {
  route: string;
  summary: string;
  needs: string | null;
}

function toRow({ route, summary, scope }: BoundOperation): Row {
  return { route, summary, needs: scope === 'public' ? null : scope };
}

type PathItems = Record<string, Record<string, unknown>>;

/** The routes that are no operations, in the words that the OpenAPI document has for them. */
function listByHand(isSandbox: boolean): [string, Row[]][] {
  return [
    ['auth', toRows(toAuthPaths())],
    ['calls', toRows(callPaths)],
    ['openai', toRows(openaiPaths)],
    ['server', toRows(protocolPaths)],
    ...(isSandbox ? [['sandbox', toRows(sandboxPaths)] satisfies [string, Row[]]] : []),
  ];
}

function toRows(paths: PathItems): Row[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, described]) => {
      const { summary, security } = described as { summary: string; security: object[] };
      const needs = security.length > 0 && security.every((way) => 'session' in way) ? 'session' : null;
      return { route: `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`, summary, needs };
    }),
  );
}

function operationTable(name: string, rows: readonly Row[]): Markup {
  return html`<h3 id="group-${name}">${name}</h3>
    <div class="scroll" tabindex="0" role="region" aria-label="Operations: ${name}">
      <table class="wide">
        <thead>
          <tr>
            <th scope="col">Route</th>
            <th scope="col">What it does</th>
            <th scope="col">Needs</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ route, summary, needs }) =>
              html`<tr>
                <th scope="row"><code>${route}</code></th>
                <td>${summary}</td>
                <td>${needs === null ? 'nothing' : html`<code>${needs}</code>`}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function problems(): Markup {
  return html`<section aria-labelledby="problems">
    <h2 id="problems">Problems</h2>
    <p>
      Errors are <code>application/problem+json</code> with a <code>code</code> from this list, what to do next, a
      request id and, where a payment took part, whether it was charged.
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="Problem codes">
      <table>
        <thead>
          <tr>
            <th scope="col">Code</th>
            <th scope="col">Status</th>
            <th scope="col">What to do</th>
          </tr>
        </thead>
        <tbody>
          ${Object.entries(problemKinds).map(
            ([code, kind]) =>
              html`<tr>
                <th scope="row"><code>${code}</code></th>
                <td>${kind.status}</td>
                <td>${kind.next}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}
