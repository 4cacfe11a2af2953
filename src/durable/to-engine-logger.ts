import { GlobalLogger, type DLogger } from '@dbos-inc/dbos-sdk/internal/telemetry/logs';
import type { Log } from '#kit/index.ts';

/** What the engine reports as information goes to debug; its warnings and errors keep their level. */
export function toEngineLogger(log: Log): DLogger {
  return {
    debug: () => {},
    info: (entry) => log.debug({ engine: 'dbos' }, String(entry)),
    warn: (entry) => log.warn({ engine: 'dbos' }, String(entry)),
    error: (entry, details) => log.error({ engine: 'dbos', err: details?.error }, String(entry)),
  };
}

export function toGlobalLogger(log: Log): GlobalLogger {
  return new GlobalLogger(undefined, { logger: toEngineLogger(log) });
}
