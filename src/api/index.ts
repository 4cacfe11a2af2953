/**
 * The HTTP surface: it parses, calls and formats, and holds no rule.
 * Invariants: every operation goes through one door (limit, authenticate, scope, origin, parse, run, audit, parse the
 * output); every error leaves as problem+json (or a page, to a browser) without its inner text; text of strangers is
 * escaped; pages load nothing from elsewhere and run no script.
 */
export { checkReadiness } from './check-readiness.ts';
export { paidRoute } from './gateway-route.ts';
export { openLanding } from './open-landing.ts';
export { openLimiter } from './open-limiter.ts';
export { openMetrics } from './open-metrics.ts';
export type { PublicResource } from './public-resource.ts';
export { recordAudit } from './record-audit.ts';
export type { ServerOptions } from './server-options.ts';
export { startServer } from './start-server.ts';
