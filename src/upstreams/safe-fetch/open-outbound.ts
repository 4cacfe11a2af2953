import { Agent, type Dispatcher } from 'undici';
import { Problem } from '#kit/index.ts';
import { readText, TooLargeError } from '../chat-completions/read-events.ts';
import { checkUrl } from './check-url.ts';
import { lookupPublic } from './public-address.ts';

export interface SafeRequest {
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
  timeoutMs: number;
  maxBytes: number;
  signal?: AbortSignal;
}

export interface SafeResponse {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  text: string;
}

/** The only way to a host that a user named. */
export interface Outbound {
  /** The URL and the connections to reach it with; throws `invalid_input` when it may not be called. */
  open(url: string): { url: URL; dispatcher: Dispatcher };
  /** One request without redirects, within time and size; throws `upstream_failed` or `upstream_timeout`. */
  safeFetch(url: string, request: SafeRequest): Promise<SafeResponse>;
  close(): Promise<void>;
}

interface OutboundOptions {
  /** Origins that are called although they are not public: the sandbox's own servers. Empty in live mode. */
  allowedOrigins?: readonly string[];
}

export function openOutbound(options: OutboundOptions = {}): Outbound {
  const allowedOrigins = new Set((options.allowedOrigins ?? []).map((url) => new URL(url).origin));
  const limits = { connections: 32, keepAliveTimeout: 10_000, maxHeaderSize: 16_384 };
  const guarded = new Agent({ ...limits, connect: { lookup: lookupPublic, timeout: 10_000 } });
  const sandbox = new Agent(limits);
  const open: Outbound['open'] = (text) => {
    const url = checkUrl(text, allowedOrigins);
    return { url, dispatcher: allowedOrigins.has(url.origin) ? sandbox : guarded };
  };
  return {
    open,
    safeFetch: async (text, request) => fetchOnce(open(text), request),
    close: async () => {
      await Promise.all([guarded.close(), sandbox.close()]);
    },
  };
}

async function fetchOnce(target: ReturnType<Outbound['open']>, request: SafeRequest): Promise<SafeResponse> {
  const timeout = AbortSignal.timeout(request.timeoutMs);
  try {
    const response = await target.dispatcher.request({
      origin: target.url.origin,
      path: target.url.pathname + target.url.search,
      method: request.method ?? 'GET',
      signal: request.signal ? AbortSignal.any([timeout, request.signal]) : timeout,
      ...(request.headers ? { headers: request.headers } : {}),
      ...(request.body === undefined ? {} : { body: request.body }),
    });
    const text = await readText(response.body, request.maxBytes);
    return { status: response.statusCode, headers: response.headers, text };
  } catch (error) {
    if (timeout.aborted) {
      throw new Problem('upstream_timeout', { detail: 'The host did not answer in time.' });
    }
    const detail =
      error instanceof TooLargeError ? 'The answer of the host is too large.' : 'The host cannot be reached.';
    throw new Problem('upstream_failed', { detail });
  }
}
