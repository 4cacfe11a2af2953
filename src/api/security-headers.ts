import type { MiddlewareHandler } from 'hono';
import type { Env } from './request-context.ts';

/** Pages bring one style sheet and pictures of their own; no script, no frame, nothing from elsewhere. */
const pagePolicy =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const dataPolicy = "default-src 'none'; frame-ancestors 'none'";

/** What every answer carries, unless the route said otherwise. */
export const securityHeaders: MiddlewareHandler<Env> = async (c, next) => {
  await next();
  const isPage = c.res.headers.get('content-type')?.startsWith('text/html') ?? false;
  if (c.res.status !== 304) {
    // A browser takes the headers of a 304 over to what it has kept (RFC 9111, 3.2): a page would lose its style.
    setDefault(c.res.headers, 'Content-Security-Policy', isPage ? pagePolicy : dataPolicy);
  }
  setDefault(c.res.headers, 'X-Content-Type-Options', 'nosniff');
  setDefault(c.res.headers, 'X-Frame-Options', 'DENY');
  setDefault(c.res.headers, 'Referrer-Policy', 'no-referrer');
  setDefault(c.res.headers, 'Cross-Origin-Opener-Policy', 'same-origin');
  setDefault(c.res.headers, 'Permissions-Policy', 'camera=(), microphone=(), geolocation=()');
  setDefault(c.res.headers, 'Cache-Control', 'no-store');
};

function setDefault(headers: Headers, name: string, value: string): void {
  if (!headers.has(name)) {
    headers.set(name, value);
  }
}
