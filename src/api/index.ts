/**
 * The HTTP surface: it parses, calls and formats, and holds no rule.
 * Invariants: every operation is carried out by `callOperation`; a change under a cookie comes from our own origins; every error leaves as problem+json (or a page, to a browser) without its inner text; text of strangers is
 * escaped; pages load nothing from elsewhere and run no script.
 */
export { checkReadiness } from './check-readiness.ts';
export { callRoute } from './call-route.ts';
export { paidRoute } from './gateway-route.ts';
export { openLanding } from './open-landing.ts';
export { openResourcePage } from './open-resource-page.ts';
export { openModels } from './openai/open-models.ts';
export { openMetrics } from './open-metrics.ts';
export { readContract } from './read-contract.ts';
export type { PublicResource } from './public-resource.ts';
export type { ServerOptions } from './server-options.ts';
export { startServer } from './start-server.ts';
