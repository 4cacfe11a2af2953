import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { measureMedia } from '#media/index.ts';
import { readSnapshot } from '#models/index.ts';
import { startOpenRouterSimulator, type OpenRouterSimulator } from '#sandbox/index.ts';

interface Before {
  simulator: OpenRouterSimulator;
  /** Of the server in front. */
  origin: string;
  stop(): Promise<void>;
}

/** The simulated OpenRouter behind a server that answers as `listen` says. */
export async function startBeforeSimulator(
  listen: (simulator: OpenRouterSimulator) => RequestListener,
): Promise<Before> {
  const { models } = await readSnapshot();
  const simulator = await startOpenRouterSimulator({ port: 0, measure: measureMedia, catalogue: models });
  const server = createServer(listen(simulator));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    simulator,
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await simulator.stop();
    },
  };
}

/** Passes a request on to the simulator, with another key where one is named, and its answer back. */
export async function passOn(
  simulator: OpenRouterSimulator,
  { request, body, key }: { request: IncomingMessage; body: Buffer; key?: string | undefined },
  response: ServerResponse,
): Promise<void> {
  const authorization = key === undefined ? request.headers.authorization : `Bearer ${key}`;
  const answered = await fetch(`${new URL(simulator.url).origin}${request.url}`, {
    method: request.method ?? 'GET',
    headers: { 'Content-Type': 'application/json', ...(authorization ? { Authorization: authorization } : {}) },
    ...(body.length > 0 ? { body: new Uint8Array(body) } : {}),
  });
  response.writeHead(answered.status, { 'Content-Type': answered.headers.get('Content-Type') ?? 'application/json' });
  response.end(Buffer.from(await answered.arrayBuffer()));
}
