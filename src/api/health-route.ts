import { Problem } from '#kit/index.ts';
import type { Route } from './mount-routes.ts';
import { toProblemAnswer } from './problem.ts';
import type { AppOptions } from './server-options.ts';

/** `/healthz`: the process answers. `/readyz`: what it needs answers too; 503 names what does not. */
export function healthRoutes(options: AppOptions): Route[] {
  return [
    {
      method: 'GET',
      pattern: '/healthz',
      handle: (c) => c.json({ status: 'alive', version: options.version, uptimeSeconds: Math.round(process.uptime()) }),
    },
    {
      method: 'GET',
      pattern: '/readyz',
      handle: async (c) => {
        const { ready, checks } = await options.readiness();
        if (ready) {
          return c.json({ status: 'ready', checks });
        }
        const failing = Object.keys(checks).filter((name) => !checks[name]);
        const problem = new Problem('unavailable', {
          detail: `Not ready: ${failing.join(', ') || 'starting or stopping'}.`,
          next: 'Ask again in a few seconds.',
          headers: { 'Retry-After': '5' },
        });
        const more = { title: 'Not ready', checks };
        const { body, ...init } = toProblemAnswer(problem, { requestId: c.get('requestId'), more });
        return new Response(body, init);
      },
    },
  ];
}
