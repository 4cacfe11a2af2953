import type { MiddlewareHandler } from 'hono';
import type { Env } from './request-context.ts';

/** Pages bring one style sheet and pictures of their own; no script, no frame, nothing from elsewhere. */
const pagePolicy =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const dataPolicy = "default-src 'none'; frame-ancestors 'none'";

const steady = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
};

/** Of a page that does not pass the middleware. */
export const pageHeaders: Readonly<Record<string, string>> = { 'Content-Security-Policy': pagePolicy, ...steady };

/** What every answer carries, unless the route said otherwise. */
export const securityHeaders: MiddlewareHandler<Env> = async (c, next) => {
  await next();
  const isPage = c.res.headers.get('content-type')?.startsWith('text/html') ?? false;
  if (c.res.status !== 304) {
    // A browser takes the headers of a 304 over to what it has kept (RFC 9111, 3.2): a page would lose its style.
    setDefault(c.res.headers, 'Content-Security-Policy', isPage ? pagePolicy : dataPolicy);
  }
  for (const [name, value] of Object.entries(steady)) {
    setDefault(c.res.headers, name, value);
  }
  setDefault(c.res.headers, 'Cache-Control', 'no-store');
};

function setDefault(headers: Headers, name: string, value: string): void {
  if (!headers.has(name)) {
    headers.set(name, value);
  }
}
