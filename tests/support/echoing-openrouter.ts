import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { passOn, startBeforeSimulator } from './before-simulator.ts';

/** How the next chat calls go wrong: with all that was sent inside the error. */
export type Echo = '400' | '401' | '403' | '429' | '502' | 'html' | 'ok-with-error' | 'mid-stream' | 'finish-error';

export interface EchoingOpenRouter {
  /** Base URL, ending in `/api/v1`. */
  url: string;
  /** A key that the simulator behind it takes. */
  key: string;
  /** null: chat calls are answered, whatever their key. */
  echo(how: Echo | null): void;
  stop(): Promise<void>;
}

/** The simulator behind a gateway that repeats prompts, inputs and keys in its errors. */
export async function startEchoingOpenRouter(): Promise<EchoingOpenRouter> {
  const state: { how: Echo | null } = { how: null };
  const { origin, simulator, stop } = await startBeforeSimulator((behind) => async (request, response) => {
    const isChat = request.url?.endsWith('/chat/completions') ?? false;
    if (isChat && state.how !== null) {
      await repeat(request, response, state.how);
      return;
    }
    const key = isChat ? behind.keys.healthy : undefined;
    await passOn(behind, { request, body: await buffer(request), key }, response);
  });
  return {
    url: `${origin}/api/v1`,
    key: simulator.keys.healthy,
    echo: (how) => {
      state.how = how;
    },
    stop,
  };
}

async function repeat(request: IncomingMessage, response: ServerResponse, how: Echo): Promise<void> {
  const sent = `${(await buffer(request)).toString()} ${JSON.stringify(request.headers)}`;
  const { messages = [] } = JSON.parse(sent.slice(0, sent.lastIndexOf(' {"'))) as { messages?: { content: unknown }[] };
  const said = messages.map(({ content }) => String(content)).join(' | ');
  const error = {
    code: Number(how) || 502,
    message: `Bad prompt "${said}" with key ${request.headers.authorization}. ${sent}`,
    metadata: {
      raw: sent,
      provider_name: said,
      error_type: said,
      limit_source: said,
      reasons: [said],
      flagged_input: said,
    },
  };
  const json = { 'Content-Type': 'application/json', 'X-Echo': encodeURIComponent(said) };
  const stream = { 'Content-Type': 'text/event-stream' };
  const chunk = (more: object): string =>
    `data: ${JSON.stringify({ id: said, model: said, provider: said, object: 'chat.completion.chunk', ...more })}\n\n`;
  switch (how) {
    case 'html':
      response.writeHead(502, { 'Content-Type': 'text/html' }).end(`<h1>${sent}</h1>`);
      return;
    case 'ok-with-error':
      response.writeHead(200, json).end(JSON.stringify({ error }));
      return;
    case 'mid-stream':
      response.writeHead(200, stream);
      response.write(chunk({ choices: [{ index: 0, delta: { content: said } }] }));
      response.end(chunk({ error, choices: [{ index: 0, delta: {}, finish_reason: 'error' }] }));
      return;
    case 'finish-error':
      response.writeHead(200, stream);
      response.end(
        chunk({ choices: [{ index: 0, delta: { content: '' }, finish_reason: said, native_finish_reason: said }] }),
      );
      return;
    default:
      response.writeHead(Number(how), json).end(JSON.stringify({ error, user_id: said }));
  }
}
