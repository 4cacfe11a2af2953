import type { Database } from '#database/index.ts';
import { closeHours } from './close-hours.ts';
import { closeRollups } from './close-rollups.ts';

/** The part of durable/ that this needs. */
export interface Scheduler {
  schedule(job: { name: string; cron: string; retries: number; run(scheduledAt: Date): Promise<void> }): unknown;
}

/** Adds up what has come, once a minute and on one of the processes: for the statistics, and for dashboards. */
export function scheduleRollup(scheduler: Scheduler, database: Database): void {
  scheduler.schedule({
    name: 'usage.rollup',
    cron: '30 * * * * *',
    retries: 3,
    run: async () => {
      await closeRollups(database);
    },
  });
  scheduler.schedule({
    name: 'usage.hours',
    cron: '45 * * * * *',
    retries: 3,
    run: async () => {
      await closeHours(database);
    },
  });
}
