import { Pool } from 'undici';
import { isObject, numberOf, textOf, type Clock } from '#kit/index.ts';
import type { Network } from '../network.ts';

/** `not_sent`: the facilitator certainly did not take the request. `lost`: it may have acted on it. */
export type FacilitatorAnswer =
  | { kind: 'answered'; body: Record<string, unknown> }
  | { kind: 'not_sent'; reason: string }
  | { kind: 'lost' };

export interface FacilitatorHttp {
  origin: string;
  post(path: '/verify' | '/settle', body: unknown): Promise<FacilitatorAnswer>;
  /** The newest x402 version in which the facilitator settles the scheme on the network; `null`: none, or no answer. */
  findVersion(scheme: string, network: Network): Promise<1 | 2 | null>;
  close(): Promise<void>;
}

interface HttpOptions {
  url: string;
  clock: Clock;
  timeoutMs?: number | undefined;
}

interface Kind {
  x402Version: number;
  scheme: string;
  network: string;
}

export const FACILITATOR_TIMEOUT_MS = 10_000;
const KINDS_KEPT_MS = 5 * 60_000;
const FAILURES_UNTIL_OPEN = 5;
const OPEN_MS = 15_000;
const MAX_RESPONSE_BYTES = 1024 * 1024;
/** The request was refused unread: bad credentials, wrong path, too many requests. */
const REFUSED_UNREAD: ReadonlySet<number> = new Set([401, 403, 404, 405, 413, 415, 429]);
const NEVER_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

export function openFacilitatorHttp(options: HttpOptions): FacilitatorHttp {
  const { clock, timeoutMs = FACILITATOR_TIMEOUT_MS } = options;
  const { origin, pathname } = new URL(options.url);
  const base = pathname.replace(/\/+$/, '');
  const pool = new Pool(origin, { connections: 16, connectTimeout: timeoutMs, maxResponseSize: MAX_RESPONSE_BYTES });
  let failures = 0;
  let closedAgainAt = 0;
  let kinds: { list: readonly Kind[]; readAt: number } | null = null;

  function note(isHealthy: boolean): void {
    failures = isHealthy ? 0 : failures + 1;
    if (failures >= FAILURES_UNTIL_OPEN) {
      closedAgainAt = clock.now() + OPEN_MS;
    }
  }

  async function request(method: 'GET' | 'POST', path: string, body?: unknown): Promise<FacilitatorAnswer> {
    if (clock.now() < closedAgainAt) {
      return { kind: 'not_sent', reason: 'facilitator_keeps_failing' };
    }
    try {
      const response = await pool.request({
        method,
        path: base + path,
        headers: { accept: 'application/json', ...(body ? { 'content-type': 'application/json' } : {}) },
        body: body ? JSON.stringify(body) : null,
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = await response.body.text();
      note(response.statusCode < 500);
      return toAnswer(response.statusCode, text);
    } catch (error) {
      note(false);
      const code = isObject(error) || error instanceof Error ? Reflect.get(error, 'code') : undefined;
      return typeof code === 'string' && NEVER_CONNECTED.has(code)
        ? { kind: 'not_sent', reason: 'cannot_reach_facilitator' }
        : { kind: 'lost' };
    }
  }

  async function readKinds(): Promise<readonly Kind[]> {
    if (kinds && clock.now() - kinds.readAt < KINDS_KEPT_MS) {
      return kinds.list;
    }
    const answer = await request('GET', '/supported');
    if (answer.kind !== 'answered') {
      return kinds?.list ?? [];
    }
    kinds = { list: toKinds(answer.body), readAt: clock.now() };
    return kinds.list;
  }

  return {
    origin,
    post: (path, body) => request('POST', path, body),
    findVersion: async (scheme, { caip2, v1Name }) => {
      const list = await readKinds();
      const speaks = (x402Version: number, name: string | undefined) =>
        list.some(
          (kind) => kind.x402Version === x402Version && kind.scheme === scheme && matchesNetwork(kind.network, name),
        );
      if (speaks(2, caip2)) {
        return 2;
      }
      return speaks(1, v1Name) ? 1 : null;
    },
    close: () => pool.destroy(),
  };
}

/** Facilitators answer refusals with 200 or 400 and the same body. */
function toAnswer(status: number, text: string): FacilitatorAnswer {
  if (REFUSED_UNREAD.has(status)) {
    return { kind: 'not_sent', reason: `facilitator_answered_${status}` };
  }
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body) && status < 500 ? { kind: 'answered', body } : { kind: 'lost' };
  } catch {
    return { kind: 'lost' };
  }
}

function toKinds(body: Record<string, unknown>): Kind[] {
  const list = Array.isArray(body['kinds']) ? body['kinds'] : [];
  return list.flatMap((kind: unknown) =>
    isObject(kind)
      ? [
          {
            x402Version: numberOf(kind['x402Version']),
            scheme: textOf(kind['scheme']),
            network: textOf(kind['network']),
          },
        ]
      : [],
  );
}

/** Some facilitators name a family: `eip155:*`. */
function matchesNetwork(offered: string, name: string | undefined): boolean {
  return name !== undefined && (offered === name || (offered.endsWith(':*') && name.startsWith(offered.slice(0, -1))));
}
