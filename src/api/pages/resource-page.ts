import { html } from 'hono/html';
import { toModelId } from '../openai/model-id.ts';
import type { PublicResource } from '../public-resource.ts';
import { resourceUrl, toCurl, toFaucetCurl, toFetchProgram } from './call-snippets.ts';
import { foreign, listing, toPage, type Markup } from './layout.ts';
import { price, stub } from './ticket.ts';

interface ResourceView {
  origin: string;
  isSandbox: boolean;
  resource: PublicResource;
}

/** One resource as everybody may see it: what it does, what it takes, what it costs, how to call it. */
export function resourcePage(view: ResourceView): Promise<string> {
  const { origin, isSandbox, resource } = view;
  return toPage({
    title: `${resource.name} by @${resource.creator} · Farebox`,
    description: resource.description.slice(0, 160),
    isSandbox,
    body: html`<article class="resource">
      <header class="sheet">
        <div class="ticket">
          <div class="body">
            <h1>${foreign(resource.name)}</h1>
            <p class="by">by @${resource.creator}</p>
            <p class="lead">${foreign(resource.description)}</p>
            <code class="path">POST ${resourceUrl(origin, resource)}</code>
          </div>
          ${stub(resource)}
        </div>
      </header>
      ${
        resource.state === 'published'
          ? ''
          : html`<p class="notice">This resource is ${resource.state}: it cannot be called now.</p>`
      }
      ${facts(resource)} ${parameters(resource)}
      <section aria-labelledby="call">
        <h2 id="call">Call it</h2>
        ${resource.offers.length === 0 ? listing('It is free', toCurl(origin, resource)) : paying(view)}
        ${resource.runsLong ? '' : openaiModel(view)}
      </section>
    </article>`,
  });
}

function paying({ origin, isSandbox, resource }: ResourceView): Markup {
  return html`${listing('See the price', toCurl(origin, resource))}
  ${isSandbox ? listing('Take 10 test USDC', toFaucetCurl(origin)) : ''}
  ${listing('Pay with the official client', toFetchProgram({ origin, isSandbox }, resource))}`;
}

const beyondTrust =
  'where too much is open unpaid, before the work begins; a failure is then made good by running it again';

/** When the buyer's money moves, by the settlement point of the version. */
const charged: Record<PublicResource['settlementPoint'], string> = {
  on_success: `only for a usable answer, once it is there: a failure costs nothing (${beyondTrust})`,
  at_first_output: `when the first part of the answer is there, which then goes out while it is made: a failure before it costs nothing (${beyondTrust})`,
  upfront:
    'before the work begins: if the work fails, sending the same payment again runs it again without a new charge',
};

function payment({ offers, settlementPoint }: PublicResource): [string, unknown][] {
  if (offers.length === 0) {
    return [];
  }
  const payees = [...Map.groupBy(offers, (offer) => offer.payTo)].map(([payTo, paid]) => {
    return { payTo, networks: [...new Set(paid.map((offer) => offer.networkName))].join(', ') };
  });
  return [
    ['Charged', charged[settlementPoint]],
    ['Network', [...new Set(offers.map(({ network, networkName }) => `${networkName} (${network})`))].join(', ')],
    ['Paid to', payees.length === 1 ? html`<code>${payees[0]?.payTo}</code>` : payees.map(payeeLine)],
  ];
}

function payeeLine({ payTo, networks }: { payTo: string; networks: string }): Markup {
  return html`<code>${payTo}</code> on ${networks}<br />`;
}

/** What is answered later those clients cannot call. */
function openaiModel({ origin, resource: { creator, slug } }: ResourceView): Markup {
  return html`<p>
    For clients of OpenAI it is the model <code>${toModelId({ creator, slug })}</code> at <code>${origin}/v1</code>:
    <a href="/docs#openai">how they call it</a>.
  </p>`;
}

function facts(resource: PublicResource): Markup {
  const { stats } = resource;
  const rows: [string, unknown][] = [
    ['Price', price(resource)],
    ...payment(resource),
    ['Model', resource.model ? foreign(resource.model) : 'none'],
    ['Kind', resource.kind],
    ['Category', foreign(resource.category)],
    ['Time limit', `${resource.timeoutSeconds} s`],
    ['Answer', resource.runsLong ? 'fetched later: the call is answered with 202' : 'in the response to the call'],
    ...(resource.batch
      ? [
          [
            'Many at once',
            `up to ${resource.batch.maxInputs} inputs in one call, POST …/batch: charged before they run, what fails is owed`,
          ] as [string, string],
        ]
      : []),
    ...(resource.mediaRetentionSeconds === null
      ? []
      : [['Files of answers', `kept ${formatDuration(resource.mediaRetentionSeconds)}`] as [string, string]]),
    ['Version', String(resource.version)],
  ];
  if (resource.tags.length > 0) {
    rows.push(['Tags', foreign(resource.tags.join(', '))]);
  }
  if (stats && stats.call_count > 0) {
    rows.push([
      'Calls',
      `${stats.call_count.toLocaleString('en')} (${successRate(stats)} of those in the last 30 days succeeded)`,
    ]);
  }
  return html`<dl class="facts-table">
    ${rows.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

function formatDuration(seconds: number): string {
  const hours = seconds / 3_600;
  const [count, unit] = hours < 48 ? [hours, 'hour'] : [hours / 24, 'day'];
  const shown = Number(count.toFixed(1));
  return `${shown} ${unit}${shown === 1 ? '' : 's'}`;
}

function successRate(stats: NonNullable<PublicResource['stats']>): string {
  const calls = stats.success_count_30d + stats.failure_count_30d;
  return calls === 0 ? 'none' : `${((100 * stats.success_count_30d) / calls).toFixed(1)} %`;
}

function parameters(resource: PublicResource): Markup {
  if (resource.parameters.length === 0) {
    return html`<section aria-labelledby="input">
      <h2 id="input">Input</h2>
      <p>It takes no input.</p>
    </section>`;
  }
  return html`<section aria-labelledby="input">
    <h2 id="input">Input</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Parameters">
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Type</th>
            <th scope="col">Needed</th>
            <th scope="col">What it is</th>
          </tr>
        </thead>
        <tbody>
          ${resource.parameters.map(parameterRow)}
        </tbody>
      </table>
    </div>
  </section>`;
}

function parameterRow(parameter: PublicResource['parameters'][number]): Markup {
  const choices = parameter.options?.map((choice) => JSON.stringify(choice)).join(', ');
  const usual = parameter.default === undefined ? '' : `Otherwise ${JSON.stringify(parameter.default)}. `;
  return html`<tr>
    <th scope="row"><code>${foreign(parameter.name)}</code></th>
    <td>${parameter.type}</td>
    <td>${(parameter.required ?? parameter.default === undefined) ? 'yes' : 'no'}</td>
    <td>
      ${foreign(parameter.description ?? '')} ${foreign(usual)} ${choices ? html`One of ${foreign(choices)}.` : ''}
    </td>
  </tr>`;
}
