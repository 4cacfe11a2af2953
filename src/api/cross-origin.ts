import type { MiddlewareHandler } from 'hono';
import { assertOwnOrigin, judgeOrigin, type Caller } from '#kit/index.ts';
import { toAllowedHeaders } from './allow-headers.ts';
import type { AppContext, Env } from './request-context.ts';

const KNOWN_HEADERS = 'Authorization, Content-Type, If-None-Match, X-Request-Id';
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * CORS of the management API. Any origin may read with an API key or as nobody; only our own origins and the trusted
 * ones may read with a cookie.
 */
export function crossOrigin(origins: ReadonlySet<string>): MiddlewareHandler<Env> {
  return async (c, next) => {
    await next();
    const trusted = judgeOrigin(c.req.raw.headers, origins) === 'own' ? c.req.header('origin') : undefined;
    c.header('Vary', 'Origin', { append: true });
    c.header('Access-Control-Allow-Origin', trusted ?? '*');
    c.header('Access-Control-Expose-Headers', 'Accept-Ranges, Content-Range, ETag, Retry-After, X-Request-Id');
    if (trusted !== undefined) {
      c.header('Access-Control-Allow-Credentials', 'true');
    }
    if (c.req.method === 'OPTIONS' && c.req.header('access-control-request-method') !== undefined) {
      c.header('Access-Control-Allow-Methods', c.res.headers.get('allow') ?? 'GET');
      const requested = c.req.header('access-control-request-headers');
      const { Vary, ...allowed } = toAllowedHeaders(requested, KNOWN_HEADERS);
      c.header('Vary', Vary, { append: true });
      Object.entries(allowed).forEach(([name, value]) => c.header(name, value));
      c.header('Access-Control-Max-Age', '7200');
    }
  };
}

/** Refuses a change under a session that none of our pages has sent. Throws `forbidden`. */
export function assertOwnChange(c: AppContext, caller: Caller, origins: ReadonlySet<string>): void {
  if (caller.kind === 'user' && caller.via === 'session' && !SAFE.has(c.req.method)) {
    assertOwnOrigin(c.req.raw.headers, origins);
  }
}
