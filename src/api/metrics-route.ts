import { assertScope, takeUnit } from '#kit/index.ts';
import type { Metrics } from './open-metrics.ts';
import type { Route } from './mount-routes.ts';
import type { AppContext } from './request-context.ts';
import type { AppOptions } from './server-options.ts';

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

/** `/metrics` in Prometheus' text format: for scrapers on this machine and for administrators. */
export function metricsRoutes(options: AppOptions, metrics: Metrics): Route[] {
  return [
    {
      method: 'GET',
      pattern: '/metrics',
      handle: async (c) => {
        if (!isLocal(c)) {
          await takeUnit(options.ports.limiter, c.get('clientAddress'));
          assertScope('admin', await options.authenticate(c.req.raw.headers));
        }
        c.header('Content-Type', metrics.registry.contentType);
        return c.body(await metrics.registry.metrics());
      },
    },
  ];
}

/** A proxy on this machine makes everybody look local, so a forwarded request is not. */
function isLocal(c: AppContext): boolean {
  const isForwarded = ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip'].some((name) => c.req.header(name));
  const peer = c.env?.incoming?.socket.remoteAddress;
  return !isForwarded && peer !== undefined && LOOPBACK.test(peer);
}
