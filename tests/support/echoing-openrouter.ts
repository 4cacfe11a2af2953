import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { readSnapshot } from '#models/index.ts';
import { startOpenRouterSimulator } from '#sandbox/index.ts';

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
  const { models } = await readSnapshot();
  const simulator = await startOpenRouterSimulator({ port: 0, catalogue: models });
  const state: { how: Echo | null } = { how: null };
  const server = createServer((request, response) => {
    const isChat = request.url?.endsWith('/chat/completions') ?? false;
    void (isChat && state.how !== null
      ? repeat(request, response, state.how)
      : forward(new URL(simulator.url).origin, request, { response, chatKey: isChat ? simulator.keys.healthy : null }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`,
    key: simulator.keys.healthy,
    echo: (how) => {
      state.how = how;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await simulator.stop();
    },
  };
}

async function forward(
  origin: string,
  request: IncomingMessage,
  { response, chatKey }: { response: ServerResponse; chatKey: string | null },
): Promise<void> {
  const body = await buffer(request);
  const authorization = chatKey === null ? request.headers.authorization : `Bearer ${chatKey}`;
  const answered = await fetch(`${origin}${request.url}`, {
    method: request.method ?? 'GET',
    headers: { 'Content-Type': 'application/json', ...(authorization ? { Authorization: authorization } : {}) },
    ...(body.length > 0 ? { body } : {}),
  });
  response.writeHead(answered.status, { 'Content-Type': answered.headers.get('Content-Type') ?? 'application/json' });
  response.end(Buffer.from(await answered.arrayBuffer()));
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
