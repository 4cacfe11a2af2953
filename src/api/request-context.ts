import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import { newId, Problem } from '#kit/index.ts';
import { toClientAddress } from './client-address.ts';
import type { AppOptions } from './server-options.ts';

export interface Env {
  Bindings: Partial<HttpBindings>;
  Variables: { requestId: string; clientAddress: string; pattern: string };
}

export type AppContext = Context<Env>;

const REQUEST_ID = /^[A-Za-z0-9._-]{8,64}$/;

/** Names the request and notes how it went: one log line, one metric, the id in the answer. */
export function requestContext(options: AppOptions): MiddlewareHandler<Env> {
  return async (c, next) => {
    const startedAt = performance.now();
    const requestId = readRequestId(c.req.header('x-request-id'));
    c.set('requestId', requestId);
    c.set('pattern', 'other');
    c.set('clientAddress', toClientAddress(readAddresses(c), options.trustedProxyHops ?? 0));
    await next();
    c.header('X-Request-Id', requestId);
    const [seconds, { status }, pattern] = [(performance.now() - startedAt) / 1000, c.res, c.get('pattern')];
    options.metrics?.observeRequest({ method: c.req.method, pattern, status, seconds });
    options.log.debug({ requestId, method: c.req.method, pattern, status, ms: Math.round(seconds * 1000) }, 'request');
  };
}

/** The caller's own id if it is a plain one, else a new one. */
function readRequestId(given: string | undefined): string {
  return given !== undefined && REQUEST_ID.test(given) ? given : newId();
}

function readAddresses(c: AppContext) {
  const peer = (c.env as Env['Bindings'] | undefined)?.incoming?.socket.remoteAddress;
  return { forwardedFor: c.req.header('x-forwarded-for'), peer };
}

/** Refuses paths that are not percent-encoded UTF-8, before anything is looked up by them. */
export const assertReadablePath: MiddlewareHandler<Env> = async (c, next) => {
  const { pathname } = new URL(c.req.url);
  let decoded: string | null = null;
  try {
    decoded = decodeURIComponent(pathname);
  } catch {
    // Reported below.
  }
  if (decoded === null || decoded.includes('\0')) {
    throw new Problem('invalid_input', {
      detail: 'The path is not percent-encoded UTF-8, or holds the NUL character.',
    });
  }
  await next();
};
