import type { Database } from '#database/index.ts';
import { closeHours } from './close-hours.ts';
import { closeRollups } from './close-rollups.ts';

/** The part of durable/ that this needs. */
export interface Scheduler {
  schedule(job: { name: string; cron: string; retries: number; run(scheduledAt: Date): Promise<void> }): unknown;
}

/** Closes the rollups once a minute, on one of the processes. */
export function scheduleRollup(scheduler: Scheduler, database: Database): void {
  scheduler.schedule({
    name: 'usage.rollup',
    cron: '30 * * * * *',
    retries: 3,
    run: async () => {
      await closeRollups(database);
      await closeHours(database);
    },
  });
}
