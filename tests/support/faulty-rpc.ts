import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * What goes wrong with a call. `…before`: the node never sees it. `…after`: the node acts on it and the caller does
 * not learn of it. `twice`: the node gets it two times, the caller the second answer. `reorder`: answers in reverse.
 */
export type Fault =
  | 'drop before'
  | 'drop after'
  | 'hang before'
  | 'hang after'
  | 'error before'
  | 'too wide before'
  | 'error after'
  | 'http 500 after'
  | 'garbage after'
  | 'twice'
  | 'reorder';

export interface FaultyRpc {
  url: string;
  /** Decides per HTTP request, by the methods in it. */
  plan(choose: (methods: readonly string[]) => Fault | null): void;
  /** Changes what the node gets, for instance to a node that leaves out a part of it. */
  alter(change: (body: string) => string): void;
  /** Methods seen, in order. */
  seen: string[];
  close(): Promise<void>;
}

interface Call {
  id: number;
  method: string;
}

export async function startFaultyRpc(target: string): Promise<FaultyRpc> {
  let choose: (methods: readonly string[]) => Fault | null = () => null;
  let change = (body: string): string => body;
  const seen: string[] = [];
  const server = createServer((request, response) => {
    void serve(request, response);
  });
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = change(await readBody(request));
    const parsed: unknown = JSON.parse(body);
    const calls = (Array.isArray(parsed) ? parsed : [parsed]) as Call[];
    const methods = calls.map((call) => call.method);
    seen.push(...methods);
    await act(target, { body, calls, response }, choose(methods));
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    plan: (next) => {
      choose = next;
    },
    alter: (next) => {
      change = next;
    },
    seen,
    close: () => close(server),
  };
}

interface Exchange {
  body: string;
  calls: Call[];
  response: ServerResponse;
}

async function act(target: string, exchange: Exchange, fault: Fault | null): Promise<void> {
  const { body, calls, response } = exchange;
  const answer = fault?.endsWith('before') ? '' : await forward(target, body);
  switch (fault) {
    case 'drop before':
    case 'drop after':
      response.socket?.destroy();
      return;
    case 'hang before':
    case 'hang after':
      return;
    case 'error before':
    case 'error after':
      reply(response, 200, toErrors(body, calls, 'internal error'));
      return;
    case 'too wide before':
      reply(response, 200, toErrors(body, calls, 'query exceeds max block range 500'));
      return;
    case 'http 500 after':
      reply(response, 500, 'oops');
      return;
    case 'garbage after':
      reply(response, 200, '<html>');
      return;
    case 'twice':
      reply(response, 200, await forward(target, body));
      return;
    case 'reorder': {
      const answers: unknown = JSON.parse(answer);
      reply(response, 200, JSON.stringify(Array.isArray(answers) ? answers.toReversed() : answers));
      return;
    }
    default:
      reply(response, 200, answer);
  }
}

function toErrors(body: string, calls: readonly Call[], message: string): string {
  const errors = calls.map(({ id }) => ({ jsonrpc: '2.0', id, error: { code: -32603, message } }));
  return JSON.stringify(body.startsWith('[') ? errors : errors[0]);
}

async function forward(target: string, body: string): Promise<string> {
  const response = await fetch(target, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return response.text();
}

function reply(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(text);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}
