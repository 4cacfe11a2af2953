import { newId, type Log } from '#kit/index.ts';
import type { QueuedJob, Retries, ScheduledJob, Sweep } from './job.ts';
import { startEngine, type Engine, type Jobs } from './start-engine.ts';

export interface Durable {
  /** Before `start`. */
  schedule(job: ScheduledJob): void;
  /** Before `start`. */
  every(sweep: Sweep): void;
  /** Before `start`: what `enqueue` of this name runs. */
  work<Input>(job: QueuedJob<Input>): void;
  /** The same id is accepted again and runs once (as long as its record is kept: a week after its end). */
  enqueue(name: string, input: unknown, options: { id: string }): Promise<void>;
  /** Inside queued work: the result is kept, so that a repeated run does not repeat the step. It must be JSON. */
  step<T>(name: string, run: () => Promise<T>, retries?: Retries): Promise<T>;
  /** Takes over the work of dead processes now (it also happens by itself); returns the ids of those that held work. */
  recover(): Promise<string[]>;
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
  /** How often the queues are looked at. */
  pollMs?: number;
}

/** Register first, then `start`. The engine is one per process: start a second one only after the first has stopped. */
export function openDurable(options: DurableOptions): Durable {
  const jobs: Jobs = { scheduled: [], sweeps: [], queued: [] };
  const names = new Set<string>();
  let engine: Engine | undefined;
  const add = <Job extends { name: string }>(list: Job[], job: Job): void => {
    if (engine || names.has(job.name)) {
      throw new Error(engine ? `Register ${job.name} before start.` : `Two jobs are called ${job.name}.`);
    }
    names.add(job.name);
    list.push(job);
  };
  const started = (): Engine => {
    if (!engine) {
      throw new Error('Durable work is not started.');
    }
    return engine;
  };
  return {
    schedule: (job) => add(jobs.scheduled, job),
    every: (sweep) => add(jobs.sweeps, sweep),
    work: (job) => add(jobs.queued, job as QueuedJob<unknown>),
    enqueue: async (name, input, { id }) => started().enqueue(name, input, id),
    step: (name, run, retries) => started().step(name, run, retries),
    recover: async () => started().recover(),
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
