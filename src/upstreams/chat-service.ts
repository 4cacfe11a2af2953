import { Pool } from 'undici';
import { readText } from './read-body.ts';

/** What a chat service refused or could not do, in our own words. `retryAfterSeconds`: it said how long to wait. */
export interface ChatServiceFailure {
  ok: false;
  /** `refused`: as it is, this will not work. `unclear`: nothing was learnt, and a later attempt may work. */
  verdict: 'refused' | 'unclear';
  detail: string;
  retryAfterSeconds?: number;
}

interface Asked {
  method: 'GET' | 'POST';
  path: string;
  body?: object;
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 64_000;

/** JSON over HTTP at one origin. Rejects when nobody answers in time or what comes is too large. */
export function openChatService(baseUrl: string) {
  const base = new URL(baseUrl);
  const pool = new Pool(base.origin, { connections: 8, keepAliveTimeout: 10_000, connect: { timeout: 5_000 } });
  return {
    ask: async ({ method, path, body }: Asked): Promise<{ status: number; body: unknown }> => {
      const response = await pool.request({
        method,
        path: `${base.pathname.replace(/\/+$/, '')}${path}`,
        headers: { accept: 'application/json', 'content-type': 'application/json', 'user-agent': 'Farebox' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const text = await readText(response.body, MAX_BYTES);
      try {
        return { status: response.statusCode, body: JSON.parse(text) as unknown };
      } catch {
        return { status: response.statusCode, body: undefined };
      }
    },
    close: () => pool.close(),
  };
}
