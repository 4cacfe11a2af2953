import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Received {
  path: string;
  headers: Record<string, string>;
  body: string;
}

/** A buyer's server that is called back. */
export interface CallbackReceiver {
  origin: string;
  received: Received[];
  /** Answers so once at this path, and else with 204. */
  refuse(path: string, status: number): void;
  close(): Promise<void>;
}

export async function startCallbackReceiver(): Promise<CallbackReceiver> {
  const received: Received[] = [];
  const refusals = new Map<string, number>();
  const take = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { url: path = '' } = req;
    received.push({ path, headers: req.headers as Record<string, string>, body: await text(req) });
    res.writeHead(refusals.get(path) ?? 204).end();
    refusals.delete(path);
  };
  const server = createServer((req, res) => {
    void take(req, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    refuse: (path, status) => void refusals.set(path, status),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
