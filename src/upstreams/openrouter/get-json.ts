import type { Pool } from 'undici';
import { parseJsonExact } from '../chat-completions/parse-json.ts';
import { readText } from '../read-body.ts';

/** Where the small GET requests go. */
export interface JsonGet {
  pool: Pool;
  origin: string;
  basePath: string;
  headers: Record<string, string>;
}

interface GetRequest {
  path: string;
  apiKey?: string;
  timeoutMs: number;
  maxBytes: number;
  /** Keys whose numbers stay the text they are on the wire. */
  exactKeys?: readonly string[];
}

/** The status and, where it is JSON, the body. Rejects when nobody answers in time or too much comes. */
export async function getJson(source: JsonGet, request: GetRequest): Promise<{ status: number; body: unknown }> {
  const response = await source.pool.request({
    path: request.path,
    method: 'GET',
    headers: {
      ...source.headers,
      accept: 'application/json',
      ...(request.apiKey === undefined ? {} : { authorization: `Bearer ${request.apiKey}` }),
    },
    signal: AbortSignal.timeout(request.timeoutMs),
  });
  const text = await readText(response.body, request.maxBytes);
  try {
    return { status: response.statusCode, body: parseJsonExact(text, request.exactKeys ?? []) };
  } catch {
    return { status: response.statusCode, body: undefined };
  }
}
