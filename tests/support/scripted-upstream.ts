import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface SeenRequest {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** How to answer one request. The last one of a script answers everything that comes after it. */
export type Step = (response: ServerResponse, request: SeenRequest) => void | Promise<void>;

export interface ScriptedUpstream {
  url: string;
  seen: SeenRequest[];
  script(...steps: Step[]): void;
  close(): Promise<void>;
}

/** A chat-completions upstream that sends exactly the bytes that a test gives it. */
export async function startScriptedUpstream(): Promise<ScriptedUpstream> {
  let steps: Step[] = [];
  const seen: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
    }
    const record = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    seen.push(record);
    const step = steps.length > 1 ? steps.shift() : steps[0];
    await (step ?? status(500, {}))(response, record);
  };
  const server = createServer((request, response) => void answer(request, response));
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    script: (...next) => {
      steps = next;
      seen.length = 0;
    },
    close: async () => {
      for (const socket of sockets) {
        socket.destroy();
      }
      server.close();
      await once(server, 'close');
    },
  };
}

/** An answer of JSON with a status. */
export function status(code: number, body: unknown, headers: Record<string, string> = {}): Step {
  return (response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}

/** An answer of any bytes; `cut` breaks the connection instead of ending the body. */
export function bytes(
  pieces: readonly (string | Buffer)[],
  options: { type?: string; headers?: Record<string, string>; cut?: boolean; hang?: boolean } = {},
): Step {
  return async (response) => {
    response.writeHead(200, { 'content-type': options.type ?? 'text/event-stream', ...options.headers });
    response.flushHeaders();
    for (const piece of pieces) {
      response.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (options.cut) {
      response.destroy();
    } else if (!options.hang) {
      response.end();
    }
  };
}

/** One event of a stream in its wire form. */
export function event(value: unknown): string {
  return `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;
}

export const COMMENT = ': OPENROUTER PROCESSING\n\n';
export const DONE = 'data: [DONE]\n\n';

const frame = {
  id: 'gen-1700000000-abcdefghij0123456789',
  object: 'chat.completion.chunk',
  model: 'acme/poet-2026',
  provider: 'Acme',
};

export function delta(content: string | null, finishReason: string | null = null): string {
  const choice = { index: 0, delta: { role: 'assistant', content }, finish_reason: finishReason };
  return event({ ...frame, choices: [choice] });
}

/** The second closing chunk, with usage; `cost` is written as it is given, digit for digit. */
export function usageChunk(cost = '0.00012300', finishReason = 'stop'): string {
  const choice = { index: 0, delta: { role: 'assistant', content: '' }, finish_reason: finishReason };
  const chunk = JSON.stringify({
    ...frame,
    choices: [choice],
    usage: { prompt_tokens: 12, completion_tokens: 34, total_tokens: 46, cost: '@cost' },
  });
  return event(chunk.replace('"@cost"', cost));
}

/** The pieces of a good answer. */
export function goodStream(text: string, cost?: string): string[] {
  return [COMMENT, delta(''), delta(text), delta('', 'stop'), usageChunk(cost), DONE];
}
