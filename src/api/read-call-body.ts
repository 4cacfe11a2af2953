import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Problem } from '#kit/index.ts';
import type { CallRequest } from '#gateway/index.ts';

const BODY_LIMIT_BYTES = 256 * 1024;
const DEPTH_LIMIT = 32;

interface CallBody {
  /** Hex SHA-256 of the bytes as sent. */
  digest: string;
  isEmpty: boolean;
  input: CallRequest['input'];
}

/**
 * Reads the body once. Trouble with its meaning is returned, not thrown: a request without payment gets its 402
 * whatever it carries (issue 2, section 4). Only a body over the limit is refused at once.
 */
export async function readCallBody(req: IncomingMessage): Promise<CallBody> {
  const bytes = await readBytes(req);
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { digest, isEmpty: bytes.length === 0, input: toInput(bytes, req.headers['content-type']) };
}

/** The query as input: text values that the resource's schema gives their types. */
export function readQuery(query: string): CallRequest['input'] {
  const params = new URLSearchParams(query);
  const value: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, text] of params) {
    if (name in value) {
      return refused('invalid_input', `The query names "${name.slice(0, 40)}" twice. Send each field once.`);
    }
    value[name] = text;
  }
  return { ok: true, value: { ...value }, isText: true };
}

async function readBytes(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT_BYTES) {
      req.resume();
      throw new Problem('too_large', {
        detail: `The body is larger than ${BODY_LIMIT_BYTES / 1024} KiB.`,
        headers: { Connection: 'close' },
      });
    }
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

function toInput(bytes: Buffer, contentType: string | undefined): CallRequest['input'] {
  if (bytes.length === 0) {
    return { ok: true, value: {}, isText: false };
  }
  if (contentType !== undefined && !/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(contentType)) {
    return refused('unsupported_media_type', 'Send the input as JSON with Content-Type: application/json.');
  }
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return isTooDeep(value, DEPTH_LIMIT)
      ? refused('invalid_input', `The body is nested deeper than ${DEPTH_LIMIT} levels.`)
      : { ok: true, value, isText: false };
  } catch {
    return refused('invalid_input', 'The body is not JSON in UTF-8.');
  }
}

function isTooDeep(value: unknown, left: number): boolean {
  if (value === null || typeof value !== 'object') {
    return false;
  }
  return left === 0 || Object.values(value).some((item) => isTooDeep(item, left - 1));
}

function refused(code: 'invalid_input' | 'unsupported_media_type', detail: string): CallRequest['input'] {
  return { ok: false, problem: new Problem(code, { detail }) };
}
