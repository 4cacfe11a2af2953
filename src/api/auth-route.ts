import { takeUnit } from '#kit/index.ts';
import type { Route } from './mount-routes.ts';
import { readJsonBody } from './read-json-body.ts';
import type { AppOptions } from './server-options.ts';

/** Sign-up, sign-in and sessions: the accounts know the routes, their bodies and their refusals. */
export function authRoutes(options: AppOptions): Route[] {
  return [
    {
      method: '*',
      pattern: '/api/auth/*',
      handle: async (c) => {
        if (c.req.method === 'OPTIONS') {
          c.header('Allow', 'GET, POST');
          return c.body(null, 204);
        }
        const clientAddress = c.get('clientAddress');
        await takeUnit(options.limits?.auth, clientAddress);
        const body = c.req.method === 'POST' ? await readJsonBody(c.req.raw) : undefined;
        return options.authHandler({ request: c.req.raw, body, clientAddress });
      },
    },
  ];
}
