import type { Hono } from 'hono';
import { Problem } from '#kit/index.ts';
import type { AppContext, Env } from './request-context.ts';

export interface Route {
  /** `*` takes every method. */
  method: string;
  /** As Hono writes it: `/api/resources/:id`. */
  pattern: string;
  handle(c: AppContext): Promise<Response> | Response;
}

/**
 * Mounts the routes so that every known path answers every method: HEAD as GET, OPTIONS with Allow, the rest with 405.
 * Fixed segments win over parameters, whatever the order of the list.
 */
export function mountRoutes(app: Hono<Env>, routes: readonly Route[]): void {
  const byPattern = Map.groupBy(routes, (route) => route.pattern);
  for (const pattern of [...byPattern.keys()].sort(bySpecificity)) {
    const here = byPattern.get(pattern) ?? [];
    const methods = new Map(here.map((route) => [route.method, route]));
    if (methods.size < here.length) {
      throw new Error(`Two routes serve the same method of ${pattern}.`);
    }
    app.all(pattern, (c) => {
      c.set('pattern', pattern);
      return dispatch(c, methods);
    });
  }
}

function dispatch(c: AppContext, methods: ReadonlyMap<string, Route>): Promise<Response> | Response {
  const { method } = c.req;
  const route = methods.get('*') ?? methods.get(method === 'HEAD' ? 'GET' : method);
  if (route) {
    return route.handle(c);
  }
  const allow = [...methods.keys(), ...(methods.has('GET') ? ['HEAD'] : []), 'OPTIONS'].sort().join(', ');
  if (method === 'OPTIONS') {
    c.header('Allow', allow);
    return c.body(null, 204);
  }
  throw new Problem('method_not_allowed', {
    detail: `${method.slice(0, 20)} is not served here; ${allow} are.${toHint(c.get('pattern'), method)}`,
    headers: { Allow: allow },
  });
}

/** What to do instead, where somebody is bound to look for it. */
function toHint(pattern: string, method: string): string {
  return pattern === '/api/resources/:id' && method === 'DELETE'
    ? ' A resource is not deleted, because what was paid for stays on record: POST /api/resources/{id}/archive takes it off the market for good.'
    : '';
}

function bySpecificity(a: string, b: string): number {
  const rank = (pattern: string): string => pattern.replaceAll(/:[^/]+/g, '\u{10ffff}').replaceAll('*', '\u{10ffff}~');
  return rank(a) < rank(b) ? -1 : 1;
}
