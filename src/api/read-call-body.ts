import type { IncomingMessage, ServerResponse } from 'node:http';
import { Problem, sha256Hex, toNetwork, type ByteBudget } from '#kit/index.ts';
import { PLAIN_BODY_BYTES, type CallRequest } from '#gateway/index.ts';
import { parseJsonBody } from './read-json-body.ts';
import { readQueryPairs } from './read-query.ts';

/** How much may come, and whose memory it is counted as beyond what every call may have. */
interface BodyBounds {
  limitBytes: number;
  clientAddress: string;
  budget: ByteBudget;
}

interface CallBody {
  /** Hex SHA-256 of the bytes as sent. */
  digest: string;
  sizeBytes: number;
  input: CallRequest['input'];
}

/**
 * Reads the body once. Trouble with its meaning is returned, not thrown: a request without payment gets its 402
 * whatever it carries. Only a body over the limit is refused at once, and one for which there is no memory now.
 */
export async function readCallBody(exchange: Exchange, bounds: BodyBounds): Promise<CallBody> {
  const { req } = exchange;
  const bytes = await readBytes(exchange, bounds);
  return { digest: sha256Hex(bytes), sizeBytes: bytes.length, input: toInput(bytes, req) };
}

/** The query as input: text values that the resource's schema gives their types. */
export function readQuery(query: string): CallRequest['input'] {
  return orProblem(() => {
    const value = new Map<string, string>();
    for (const [name, text] of readQueryPairs(query)) {
      if (value.has(name)) {
        const detail = `The query names "${name.slice(0, 40)}" twice. Send each field once.`;
        throw new Problem('invalid_input', { detail });
      }
      value.set(name, text);
    }
    return { ok: true, value: Object.fromEntries(value), isText: true };
  });
}

interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
}

/** Listens instead of iterating: leaving an iterator early would cut the connection before the refusal is read. */
function readBytes({ req, res }: Exchange, { limitBytes, clientAddress, budget }: BodyBounds): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;
  let isRefused = false;
  let isCounted = false;
  const refuse = (problem: Problem): void => {
    isRefused = true;
    chunks.length = 0;
    reject(problem);
  };
  const count = (): void => {
    // What is announced is set aside at once, so that bodies that cannot all be held do not stop each other half-way.
    const announced = Number(req.headers['content-length'] ?? limitBytes);
    const held = budget.take(toNetwork(clientAddress), Math.min(announced, limitBytes));
    isCounted = held !== null;
    if (held === null) {
      refuse(tooManyAtOnce());
    } else {
      res.once('close', () => held.give());
    }
  };
  req.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (isRefused) {
      return;
    }
    if (size > limitBytes) {
      refuse(tooLarge(limitBytes));
      return;
    }
    if (size > PLAIN_BODY_BYTES && !isCounted) {
      count();
    }
    if (!isRefused) {
      chunks.push(chunk);
    }
  });
  req.once('end', () => resolve(Buffer.concat(chunks)));
  req.once('error', reject);
  req.once('close', () => {
    if (!req.complete) {
      reject(new Problem('invalid_input', { detail: 'The connection ended before the body did.' }));
    }
  });
  return promise;
}

function tooLarge(limitBytes: number): Problem {
  const detail = `The body is larger than ${limitBytes / 1024} KiB.`;
  return new Problem('too_large', { detail, headers: { Connection: 'close' } });
}

function tooManyAtOnce(): Problem {
  return new Problem('unavailable', {
    detail: 'Too many large requests are being read at the moment.',
    headers: { Connection: 'close', 'Retry-After': '5' },
  });
}

function toInput(bytes: Buffer, req: IncomingMessage): CallRequest['input'] {
  if (bytes.length === 0) {
    return { ok: true, value: {}, isText: false };
  }
  return orProblem(() => {
    const header = (name: string): string | null => String(req.headers[name] ?? '') || null;
    return { ok: true, value: parseJsonBody(bytes, header, { keepsDigits: true }), isText: false };
  });
}

function orProblem(read: () => CallRequest['input']): CallRequest['input'] {
  try {
    return read();
  } catch (error) {
    if (error instanceof Problem) {
      return { ok: false, problem: error };
    }
    throw error;
  }
}
