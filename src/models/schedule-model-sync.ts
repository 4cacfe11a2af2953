import type { Durable } from '#durable/index.ts';
import type { ModelsDeps } from './open-models.ts';
import { syncModels } from './sync-models.ts';

/** Daily at 03:00 UTC, once over all processes. A failed fetch is tried again for about half an hour; a refused list is not. */
export function scheduleModelSync(durable: Pick<Durable, 'schedule'>, deps: ModelsDeps): void {
  durable.schedule({
    name: 'models.sync',
    cron: '0 0 3 * * *',
    retries: 5,
    retryAfterMs: 60_000,
    run: () => syncModels(deps, { trigger: 'schedule' }),
  });
}
