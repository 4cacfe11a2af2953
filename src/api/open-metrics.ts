import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';

interface ObservedRequest {
  method: string;
  pattern: string;
  status: number;
  seconds: number;
}

export interface Metrics {
  registry: Registry;
  /** A paid-call attempt: `delivered`, `challenge` or a problem code; seconds where work was done. */
  observeCall(outcome: string, seconds?: number): void;
  observeRequest(request: ObservedRequest): void;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Counters of this process, with its memory, event loop and garbage collection. */
export function openMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'farebox_' });
  const registers = [registry];
  const calls = new Counter({
    name: 'farebox_calls_total',
    help: 'Calls of resources by outcome',
    labelNames: ['outcome'] as const,
    registers,
  });
  const callSeconds = new Histogram({
    name: 'farebox_call_duration_seconds',
    help: 'Time from request to answer of calls that were carried out',
    labelNames: ['outcome'] as const,
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
    registers,
  });
  const requestSeconds = new Histogram({
    name: 'farebox_http_request_duration_seconds',
    help: 'Time to answer requests of the management API and the pages',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10],
    registers,
  });
  return {
    registry,
    observeCall: (outcome, seconds) => {
      calls.inc({ outcome });
      if (seconds !== undefined) {
        callSeconds.observe({ outcome }, seconds);
      }
    },
    observeRequest: ({ method, pattern, status, seconds }) => {
      const known = METHODS.has(method) ? method : 'other';
      requestSeconds.observe({ method: known, route: pattern, status: `${Math.trunc(status / 100)}xx` }, seconds);
    },
  };
}
