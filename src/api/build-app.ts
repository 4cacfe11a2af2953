import { Hono } from 'hono';
import { Problem } from '#kit/index.ts';
import { authRoutes } from './auth-route.ts';
import { connectRoutes } from './connect-route.ts';
import { crossOrigin } from './cross-origin.ts';
import { healthRoutes } from './health-route.ts';
import { mediaRoutes } from './media-route.ts';
import { metricsRoutes } from './metrics-route.ts';
import { mountRoutes } from './mount-routes.ts';
import { modelRoutes } from './openai/model-routes.ts';
import { operationRoutes } from './operation-routes.ts';
import { pagesRoutes } from './pages-route.ts';
import { answerProblem } from './problem.ts';
import { assertReadablePath, requestContext, type AppContext, type Env } from './request-context.ts';
import { resourceOpenapiRoutes } from './resource-openapi-route.ts';
import { sandboxRoutes } from './sandbox-route.ts';
import { securityHeaders } from './security-headers.ts';
import type { AppOptions } from './server-options.ts';
import { uploadRoutes } from './upload-route.ts';

/** Everything but the paid call: the management API, the pages and the routes that operators use. */
export function buildApp(options: AppOptions): Hono<Env> {
  const origins = new Set([new URL(options.publicUrl).origin, ...(options.trustedOrigins ?? [])]);
  const app = new Hono<Env>();
  app.use(requestContext(options), securityHeaders, crossOrigin(origins), assertReadablePath);
  app.onError((error, c) => answerProblem(c, error, options.log));
  app.notFound((c) => leadHome(c) ?? answerProblem(c, nothingThere, options.log));
  mountRoutes(app, [
    ...operationRoutes(options, origins),
    ...modelRoutes(options),
    ...mediaRoutes(options),
    ...uploadRoutes(options),
    ...authRoutes(options),
    ...(options.connect ? connectRoutes(options, options.connect) : []),
    ...healthRoutes(options),
    ...pagesRoutes(options),
    ...resourceOpenapiRoutes(options),
    ...(options.metrics ? metricsRoutes(options, options.metrics) : []),
    ...(options.sandbox ? sandboxRoutes(options, options.sandbox) : []),
  ]);
  return app;
}

const nothingThere = new Problem('not_found', {
  detail: 'Nothing is served at this path.',
  next: 'Read /docs, which says what is served and how to call it.',
});

/** `/docs/` -> `/docs`. Never to another host: what begins with two slashes names one. */
function leadHome(c: AppContext): Response | null {
  const { pathname, search } = new URL(c.req.url);
  const home = pathname.replace(/\/+$/, '');
  return home === '' || home === pathname || home.startsWith('//') ? null : c.redirect(home + search, 308);
}
