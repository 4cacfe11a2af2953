import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { OpenRouterSimulator } from '#sandbox/index.ts';
import { passOn, startBeforeSimulator } from './before-simulator.ts';

/** A piece of a message on the wire. */
export interface WirePart {
  type: string;
  [name: string]: unknown;
}

export interface MediaOrder {
  path: string;
  body: Record<string, unknown>;
}

export interface FileWorld {
  /** Base URL of OpenRouter, ending in `/api/v1`. */
  openRouterUrl: string;
  /** A key that the simulator takes. */
  key: string;
  simulator: OpenRouterSimulator;
  /** What is served under `/files/<name>` on the same origin, which a sandbox calls although it is not public. */
  serve(name: string, answer: Buffer | ((request: IncomingMessage, response: ServerResponse) => void)): string;
  /** Requests for files so far, by name. */
  fetched: string[];
  /** The bodies of chat calls so far. */
  chats: { messages: { role: string; content: string | WirePart[] }[]; plugins?: unknown }[];
  /** What was asked of `/images` and `/videos` so far. */
  orders: MediaOrder[];
  /** Answers the next request whose method and path below `/api/v1` this is, in place of the simulator. */
  answerNext(request: RegExp, answer: (response: ServerResponse) => void): void;
  /** Leaves the next chat call without an answer; resolves when it has come. */
  holdChat(): Promise<void>;
  stop(): Promise<void>;
}

/** The simulated OpenRouter and a server of files behind one origin. */
export async function openFileWorld(): Promise<FileWorld> {
  const files = new Map<string, Buffer | ((request: IncomingMessage, response: ServerResponse) => void)>();
  const fetched: string[] = [];
  const chats: FileWorld['chats'] = [];
  const held: (() => void)[] = [];
  const orders: MediaOrder[] = [];
  const instead: { request: RegExp; answer: (response: ServerResponse) => void }[] = [];
  const { origin, simulator, stop } = await startBeforeSimulator((behind) => (request, response) => {
    const path = request.url ?? '';
    if (!path.startsWith('/files/')) {
      const onChat = (body: string): boolean => {
        chats.push(JSON.parse(body) as FileWorld['chats'][number]);
        const reached = held.shift();
        reached?.();
        return reached !== undefined;
      };
      const line = `${request.method} ${path.replace('/api/v1', '')}`;
      const at = instead.findIndex((one) => one.request.test(line));
      const [replaced] = at < 0 ? [] : instead.splice(at, 1);
      const onOrder = (order: MediaOrder): void => void orders.push(order);
      const how = { response, onChat, onOrder, answer: replaced?.answer };
      void forward(behind, request, how);
      return;
    }
    const name = path.slice('/files/'.length);
    fetched.push(name);
    const answer = files.get(name);
    if (typeof answer === 'function') {
      answer(request, response);
    } else {
      response.writeHead(answer === undefined ? 404 : 200, { 'Content-Type': 'text/plain' }).end(answer);
    }
  });
  return {
    openRouterUrl: `${origin}/api/v1`,
    key: simulator.keys.healthy,
    simulator,
    serve: (name, answer) => {
      files.set(name, answer);
      return `${origin}/files/${name}`;
    },
    fetched,
    chats,
    orders,
    answerNext: (match, answer) => void instead.push({ request: match, answer }),
    holdChat: () => new Promise((resolve) => void held.push(resolve)),
    stop,
  };
}

interface Forwarding {
  response: ServerResponse;
  onChat(body: string): boolean;
  onOrder(order: MediaOrder): void;
  answer: ((response: ServerResponse) => void) | undefined;
}

async function forward(
  behind: OpenRouterSimulator,
  request: IncomingMessage,
  { response, onChat, onOrder, answer }: Forwarding,
): Promise<void> {
  const body = await buffer(request);
  const path = (request.url ?? '').replace('/api/v1', '');
  if (request.method === 'POST' && /^\/(images|videos)$/.test(path)) {
    onOrder({ path, body: JSON.parse(body.toString()) as MediaOrder['body'] });
  }
  if (answer) {
    answer(response);
    return;
  }
  if (request.url?.endsWith('/chat/completions') && onChat(body.toString())) {
    return;
  }
  await passOn(behind, { request, body }, response);
}
