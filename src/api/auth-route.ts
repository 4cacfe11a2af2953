import { Problem, takeUnit } from '#kit/index.ts';
import type { Route } from './mount-routes.ts';
import type { AppOptions } from './server-options.ts';

const BODY_LIMIT_BYTES = 64 * 1024;

/** Sign-up, sign-in and sessions speak the protocol of the accounts library. */
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
        await takeUnit(options.limits?.auth, c.get('clientAddress'));
        const { headers } = c.req.raw;
        if (headers.has('transfer-encoding') || Number(headers.get('content-length') ?? 0) > BODY_LIMIT_BYTES) {
          throw new Problem('too_large', {
            detail: `Send at most ${BODY_LIMIT_BYTES / 1024} KiB here, with a Content-Length.`,
            headers: { Connection: 'close' },
          });
        }
        return options.authHandler(c.req.raw, c.get('clientAddress'));
      },
    },
  ];
}
