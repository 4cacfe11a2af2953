import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** `before`: the target does not see the request. `after`: it has answered, and nobody learns what. */
export type When = 'before' | 'after';

export interface HttpGate {
  /** Stands for the target's origin. */
  origin: string;
  /** Holds every request that matches by its body and its path with query; resolves when the first one stands there. */
  hold(matches: (body: string, path: string) => boolean, when: When): Promise<void>;
  /** Holds nothing more. What is held stays unanswered, as when it is lost on the way. */
  open(): void;
  /** Holds nothing more, and lets what is held before the target go on to its answer. */
  letGo(): void;
  /** Sends on what was held before the target, also when its sender has died since. */
  deliverLate(): Promise<void>;
  /** Down: every connection is closed before a byte. */
  setDown(isDown: boolean): void;
  close(): Promise<void>;
}

interface Rule {
  matches(body: string, path: string): boolean;
  when: When;
  reached(): void;
}

interface Asked {
  path: string;
  headers: Record<string, string>;
  method: string;
  body: string;
}

interface Held {
  asked: Asked;
  goes: PromiseWithResolvers<void>;
}

/** A proxy at which a test can stop a request on its way. */
export async function startHttpGate(target: string): Promise<HttpGate> {
  const { origin } = new URL(target);
  let rules: Rule[] = [];
  const held: Held[] = [];
  let isClosed = false;
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const asked = await readRequest(request);
    const rule = rules.find((one) => one.matches(asked.body, asked.path));
    if (rule?.when === 'before') {
      const goes = Promise.withResolvers<void>();
      held.push({ asked, goes });
      rule.reached();
      await goes.promise;
    }
    const answer = await forward(origin, asked);
    const { bytes, isWhole } = await readAnswer(answer);
    if (rule?.when === 'after') {
      rule.reached();
      return;
    }
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' });
    if (isWhole) {
      response.end(bytes);
    } else {
      response.write(bytes, () => response.destroy());
    }
  };
  const server = createServer((request, response) => {
    if (isClosed) {
      response.destroy();
      return;
    }
    serve(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold: (matches, when) =>
      new Promise((resolve) => {
        rules.push({ matches, when, reached: resolve });
      }),
    open: () => {
      rules = [];
    },
    setDown: (isDown) => {
      isClosed = isDown;
    },
    letGo: () => {
      rules = [];
      held.splice(0).forEach(({ goes }) => goes.resolve());
    },
    deliverLate: async () => {
      await Promise.all(held.splice(0).map(({ asked }) => forward(origin, asked)));
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function forward(origin: string, { path, method, headers, body }: Asked): Promise<Response> {
  return fetch(`${origin}${path}`, { method, headers, ...(method === 'GET' ? {} : { body }) });
}

/** What has come of it, also where it broke off. */
async function readAnswer(answer: Response): Promise<{ bytes: Buffer; isWhole: boolean }> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of answer.body ?? []) {
      chunks.push(chunk);
    }
    return { bytes: Buffer.concat(chunks), isWhole: true };
  } catch {
    return { bytes: Buffer.concat(chunks), isWhole: false };
  }
}

async function readRequest(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
  }
  const { authorization, 'content-type': contentType } = request.headers;
  const headers = {
    ...(authorization === undefined ? {} : { authorization }),
    ...(contentType === undefined ? {} : { 'content-type': contentType }),
  };
  return {
    path: request.url ?? '/',
    method: request.method ?? 'GET',
    headers,
    body: Buffer.concat(chunks).toString('utf8'),
  };
}
