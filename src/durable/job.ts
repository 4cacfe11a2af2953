export interface ScheduledJob {
  name: string;
  /** Five fields, or six with seconds first, in UTC. Each tick leaves a record for a week: for less than a minute use a Sweep. */
  cron: string;
  /** A run that was cut off is repeated from its beginning, so it must bear that. */
  run(scheduledAt: Date): Promise<unknown>;
  /** How often a failed run is tried again; 0 unless told. */
  retries?: number;
  /** Wait before the first retry, doubled each time; 5 s unless told. */
  retryAfterMs?: number;
}

/** Frequent work that keeps no record: once per interval over all processes, never twice at once, not made up for after a crash. */
export interface Sweep {
  name: string;
  intervalMs: number;
  run(): Promise<unknown>;
}
