export interface Retries {
  /** How often a failed run is tried again; 0 unless told. */
  retries?: number;
  /** Wait before the first retry, doubled each time; 5 s unless told. */
  retryAfterMs?: number;
}

export interface ScheduledJob extends Retries {
  name: string;
  /** Five fields, or six with seconds first, in UTC. Each tick leaves a record for a week: for less than a minute use a Sweep. */
  cron: string;
  run(scheduledAt: Date): Promise<unknown>;
}

/**
 * Work that is enqueued by name with input that is JSON. `run` is repeated after a crash: whatever must not be
 * repeated goes into `step`, and the steps come in the same order every time. Changed steps need a new job name.
 */
export interface QueuedJob<Input> {
  name: string;
  /** How many run at once in one process; 4 unless told. */
  concurrency?: number;
  run(input: Input): Promise<unknown>;
}

/** Frequent work that keeps no record: once per interval over all processes, never twice at once, not made up for after a crash. */
export interface Sweep {
  name: string;
  intervalMs: number;
  run(): Promise<unknown>;
}
