import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Problem } from '#kit/index.ts';
import type { CallRequest } from '#gateway/index.ts';
import { parseJsonBody } from './read-json-body.ts';
import { readQueryPairs } from './read-query.ts';

const BODY_LIMIT_BYTES = 256 * 1024;

interface CallBody {
  /** Hex SHA-256 of the bytes as sent. */
  digest: string;
  isEmpty: boolean;
  input: CallRequest['input'];
}

/**
 * Reads the body once. Trouble with its meaning is returned, not thrown: a request without payment gets its 402
 * whatever it carries. Only a body over the limit is refused at once.
 */
export async function readCallBody(req: IncomingMessage): Promise<CallBody> {
  const bytes = await readBytes(req);
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { digest, isEmpty: bytes.length === 0, input: toInput(bytes, req) };
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

/** Listens instead of iterating: leaving an iterator early would cut the connection before the refusal is read. */
function readBytes(req: IncomingMessage): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;
  req.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= BODY_LIMIT_BYTES) {
      chunks.push(chunk);
      return;
    }
    chunks.length = 0;
    const detail = `The body is larger than ${BODY_LIMIT_BYTES / 1024} KiB.`;
    reject(new Problem('too_large', { detail, headers: { Connection: 'close' } }));
  });
  req.once('end', () => resolve(Buffer.concat(chunks)));
  req.once('error', reject);
  req.once('close', () =>
    reject(new Problem('invalid_input', { detail: 'The connection ended before the body did.' })),
  );
  return promise;
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
