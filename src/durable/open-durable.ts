import { newId, type Log } from '#kit/index.ts';
import type { ScheduledJob, Sweep } from './job.ts';
import { startEngine, type Engine, type Jobs } from './start-engine.ts';

export interface Durable {
  /** Before `start`. */
  schedule(job: ScheduledJob): void;
  /** Before `start`. */
  every(sweep: Sweep): void;
  start(): Promise<void>;
  /** Takes no new work and waits for what runs, at most stopWithinMs; others take over what is left. */
  stop(): Promise<void>;
}

interface DurableOptions {
  url: string;
  log: Log;
  /** Processes of the same name share their work. */
  name: string;
  executorId?: string;
  stopWithinMs?: number;
  /** Without a sign of life for so long, a process is dead. */
  deadAfterMs?: number;
  /** How often it looks for ticks to run. */
  pollMs?: number;
}

/** Register first, then `start`. The engine is one per process: start a second one only after the first has stopped. */
export function openDurable(options: DurableOptions): Durable {
  const jobs: Jobs = { scheduled: [], sweeps: [] };
  const names = new Set<string>();
  let engine: Engine | undefined;
  const add = <Job extends { name: string }>(list: Job[], job: Job): void => {
    if (engine || names.has(job.name)) {
      throw new Error(engine ? `Register ${job.name} before start.` : `Two jobs are called ${job.name}.`);
    }
    names.add(job.name);
    list.push(job);
  };
  return {
    schedule: (job) => add(jobs.scheduled, job),
    every: (sweep) => add(jobs.sweeps, sweep),
    start: async () => {
      const defaults = { executorId: newId(), stopWithinMs: 20_000, deadAfterMs: 20_000, pollMs: 1_000 };
      engine = await startEngine({ ...defaults, ...options }, jobs);
    },
    stop: async () => {
      const stopping = engine;
      engine = undefined;
      await stopping?.stop();
    },
  };
}
