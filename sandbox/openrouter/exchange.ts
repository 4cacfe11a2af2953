import type { IncomingMessage } from 'node:http';
import { readForm } from './media/read-form.ts';
import type { RecordedRequest } from './state.ts';

const MAX_BODY_BYTES = 32 * 1024 * 1024;
const MAX_RECORDED_BODY_BYTES = 256 * 1024;

/** One request, read completely. */
export interface Exchange {
  method: string;
  /** Path below `/api/v1`, without the query. */
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  /** The API key that was sent, if any. */
  keyText: string | undefined;
  /** Parsed JSON, or a form as such; undefined where there was none or it was neither. */
  body: unknown;
  isTooLarge: boolean;
  recorded: RecordedRequest;
}

export async function readExchange(request: IncomingMessage, now: number): Promise<Exchange> {
  const url = new URL(request.url ?? '/', 'http://simulator');
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
  const { bytes, isTooLarge } = await readBody(request);
  const method = request.method ?? 'GET';
  const type = headers['content-type'] ?? '';
  const body = type.startsWith('multipart/') ? await readForm(bytes, type) : parseJson(bytes);
  const isLarge = bytes.length > MAX_RECORDED_BODY_BYTES;
  return {
    method,
    path: url.pathname,
    query: url.searchParams,
    headers,
    keyText: /^Bearer\s+(\S+)$/i.exec(headers['authorization'] ?? '')?.[1],
    body,
    isTooLarge,
    recorded: {
      method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers,
      body: isLarge ? `[${bytes.length} bytes]` : body,
      at: now,
    },
  };
}

/** A body over the limit is read to its end and dropped, so that the answer can still be sent. */
async function readBody(request: IncomingMessage): Promise<{ bytes: Buffer; isTooLarge: boolean }> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= MAX_BODY_BYTES) {
      chunks.push(chunk);
    }
  }
  const isTooLarge = length > MAX_BODY_BYTES;
  return { bytes: isTooLarge ? Buffer.alloc(0) : Buffer.concat(chunks), isTooLarge };
}

function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) {
    return undefined;
  }
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
