import { html } from 'hono/html';
import type { Problem } from '#kit/index.ts';
import { toPage } from './layout.ts';

interface Message {
  title: string;
  problem: Problem;
  requestId: string;
}

/** A problem, for people: what happened, what to do, the request id. */
export function messagePage({ title, problem, requestId }: Message): Promise<string> {
  return toPage({
    title: `${title} · Farebox`,
    description: title,
    isSandbox: false,
    body: html`<section class="message">
      <p class="code">${problem.status}</p>
      <h1>${title}</h1>
      <p>${problem.message}</p>
      <p>${problem.next}</p>
      <p><a class="button" href="/">Go to the start page</a></p>
      <p class="fine">Request <code>${requestId}</code></p>
    </section>`,
  });
}
