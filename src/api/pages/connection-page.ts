import { html } from 'hono/html';
import { toPage } from './layout.ts';

/** The code is used up before the key is checked. */
const LEFT_OVER =
  'If you agreed, OpenRouter may have made a key that nobody uses now: remove it at https://openrouter.ai/settings/keys.';

/** How the way back from a provider's consent page may end, for people. */
const texts = {
  connected: ['OpenRouter is connected', 'The key is stored encrypted. What was paused for want of it is sold again.'],
  denied: ['OpenRouter is not connected', 'You did not grant a key, so nothing was changed.'],
  ended: [
    'This way back is closed',
    'It works once, for ten minutes and for the account that began it. Nothing was changed: begin again.',
  ],
  refused: [
    'OpenRouter did not give a key that works',
    `Nothing was changed here. ${LEFT_OVER} Begin again, or store a key by hand.`,
  ],
  'signed-out': ['You are not signed in', 'Sign in and begin again. Nothing was changed.'],
  failed: ['Something went wrong on the way', `Nothing was changed here. ${LEFT_OVER} Begin again in a minute.`],
} as const;

export type ConnectOutcome = keyof typeof texts;

export function isConnectOutcome(text: string): text is ConnectOutcome {
  return Object.hasOwn(texts, text);
}

export function connectionPage(outcome: ConnectOutcome, isSandbox: boolean): Promise<string> {
  const [title, text] = texts[outcome];
  return toPage({
    title: `${title} · Farebox`,
    description: title,
    isSandbox,
    body: html`<section class="message">
      <h1>${title}</h1>
      <p>${text}</p>
      <p><a class="button" href="/">Go to the start page</a></p>
    </section>`,
  });
}
