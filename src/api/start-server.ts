import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { newId, Problem } from '#kit/index.ts';
import { answerClientError } from './client-error.ts';
import { buildApp } from './build-app.ts';
import { isOpenaiPath } from './openai/to-openai-error.ts';
import { toProblemAnswer } from './problem.ts';
import type { ServerOptions } from './server-options.ts';

type Socket = IncomingMessage['socket'];

const PAID_PATH = /^\/(?:@|%40|api\/execute(?:[/?]|$)|api\/calls\/|v1\/)/i;

/** By then another process has its place, or this one has been started anew. */
const RETRY_AFTER_SECONDS = 5;

export interface RunningServer {
  url: string;
  port: number;
  /** Stops accepting, refuses what comes on open connections, lets requests under way finish, ends unused connections. */
  close(): Promise<void>;
}

/** Listens: the paid call first for its paths, the rest to Hono. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const app = buildApp(options);
  const listener = getRequestListener((request, env) => app.fetch(request, env), {
    overrideGlobalObjects: false,
    errorHandler: (error) => answerBrokenRequest(error, options),
  });
  const open = new Set<ServerResponse>();
  const sockets = new Set<Socket>();
  let isClosing = false;
  const server = createServer({ headersTimeout: 15_000, requestTimeout: 60_000, keepAliveTimeout: 20_000 });
  server.on('clientError', answerClientError);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', (req: IncomingMessage, res: ServerResponse) => {
    open.add(res);
    res.once('close', () => open.delete(res));
    if (isClosing) {
      refuseWhileClosing({ req, res });
      return;
    }
    void serve(options, listener, { req, res });
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const port = listeningPort(server);
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    port,
    close: async () => {
      isClosing = true;
      await closeGracefully(server, { open, sockets }, options.closeWithinMs ?? 30_000);
    },
  };
}

function listeningPort(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('The server does not listen on a TCP port.');
  }
  return address.port;
}

interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
}

type Listener = ReturnType<typeof getRequestListener>;

async function serve(options: ServerOptions, listener: Listener, { req, res }: Exchange): Promise<void> {
  try {
    if (PAID_PATH.test(req.url ?? '') && (await options.paidRoute(req, res))) {
      return;
    }
    await listener(req, res);
  } catch (error) {
    const requestId = newId();
    options.log.error({ err: error, requestId }, 'a request failed outside its route');
    if (res.headersSent) {
      res.destroy();
      return;
    }
    const { status, headers, body } = toProblemAnswer(error, { requestId });
    res.writeHead(status, headers).end(body);
  }
}

/** What cannot be made into a Request at all: a Host header or a target that is no URL. */
function answerBrokenRequest(error: unknown, options: ServerOptions): Response {
  const requestId = newId();
  const isTheirs = error instanceof Error && error.name === 'RequestError';
  if (!isTheirs) {
    options.log.error({ err: error, requestId }, 'a request failed outside its route');
  }
  const problem = isTheirs
    ? new Problem('invalid_input', { detail: 'The request target or the Host header is not valid.' })
    : error;
  const { body, ...init } = toProblemAnswer(problem, { requestId });
  return new Response(body, init);
}

/** Nothing of the request is read, so a payment in it cannot be charged for it. */
function refuseWhileClosing({ req, res }: Exchange): void {
  const problem = new Problem('unavailable', {
    detail: 'This process is stopping and takes no new requests.',
    next: 'Send the same request again after the Retry-After time. A payment sent with it was not looked at.',
    headers: { 'Retry-After': String(RETRY_AFTER_SECONDS), 'Access-Control-Allow-Origin': '*', Connection: 'close' },
  });
  const form = isOpenaiPath(req.url ?? '') ? 'openai' : 'problem';
  const { status, headers, body } = toProblemAnswer(problem, { requestId: newId(), form });
  res.writeHead(status, headers).end(body);
}

interface Connections {
  open: ReadonlySet<ServerResponse>;
  sockets: ReadonlySet<Socket>;
}

async function closeGracefully(server: Server, { open, sockets }: Connections, withinMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const listUsed = (): Set<Socket> => new Set([...open].map((res) => res.req.socket));
  for (const res of open) {
    if (!res.headersSent) {
      res.setHeader('Connection', 'close');
    }
    const { socket } = res.req;
    res.once('close', () => listUsed().has(socket) || socket.destroy());
  }
  // A closing server of Node times out no request that never comes, and does not take its connection for an idle one.
  const used = listUsed();
  sockets.forEach((socket) => used.has(socket) || socket.destroy());
  const timer = setTimeout(() => server.closeAllConnections(), withinMs);
  await closed;
  clearTimeout(timer);
}
