import { setTimeout as wait } from 'node:timers/promises';
import { DBOS } from '@dbos-inc/dbos-sdk';
import pg from 'pg';
import { surviveBroken } from '#database/index.ts';
import type { Log } from '#kit/index.ts';
import type { ScheduledJob, Sweep } from './job.ts';
import { prepareSchema, SCHEMA } from './prepare-schema.ts';
import { forgetFinished, recoverDead, reportAlive, reportGone, type Executor } from './recover.ts';
import { startSweep } from './sweep.ts';
import { toEngineLogger, toGlobalLogger } from './to-engine-logger.ts';

export interface Jobs {
  scheduled: ScheduledJob[];
  sweeps: Sweep[];
}

export interface Settings {
  url: string;
  log: Log;
  name: string;
  executorId: string;
  stopWithinMs: number;
  deadAfterMs: number;
  pollMs: number;
}

export interface Engine {
  stop(): Promise<void>;
}

/** One version for all releases: a process may take over what an older release began. */
const VERSION = '1';
const SCHEDULED_QUEUE = 'scheduled';
const RUNS_AT_ONCE = 4;
const MAX_RECOVERIES = 10;
const MAX_CONNECTIONS = 10;
const FORGET_EVERY_MS = 3_600_000;

export async function startEngine(settings: Settings, jobs: Jobs): Promise<Engine> {
  if (DBOS.isInitialized()) {
    throw new Error('Durable work is already running in this process.');
  }
  const { log } = settings;
  await prepareSchema(settings.url, toGlobalLogger(log));
  const pool = openPool(settings);
  const executor: Executor = { ...settings, pool };
  try {
    await reportAlive(executor);
    const scheduled = jobs.scheduled.map((job) => ({ job, workflow: registerScheduled(job) }));
    await launch(settings, pool);
    await registerQueue(settings);
    await applySchedules(scheduled);
    await recoverDead(executor);
  } catch (error) {
    await DBOS.shutdown({ deregister: true });
    await pool.end();
    throw error;
  }
  const sweeps = [...ownSweeps(executor), ...jobs.sweeps].map((sweep) => startSweep({ pool, log }, sweep));
  const heartbeat = startHeartbeat(executor, log);
  return {
    stop: async () => {
      const sweeping = Promise.all(sweeps.map((sweep) => sweep.stop()));
      await Promise.all([
        within(settings.stopWithinMs, sweeping),
        DBOS.shutdown({ workflowCompletionTimeoutMS: settings.stopWithinMs, deregister: true }),
      ]);
      clearInterval(heartbeat);
      await reportGone(executor).catch((error: unknown) => log.warn({ err: error }, 'could not sign off'));
      await within(1_000, pool.end());
    },
  };
}

/** LISTEN is left to the caches: nothing here waits for messages, so the engine needs no connection of its own for it. */
async function launch(settings: Settings, pool: pg.Pool): Promise<void> {
  DBOS.setConfig({
    name: settings.name,
    systemDatabaseUrl: settings.url,
    systemDatabasePool: pool,
    systemDatabaseSchemaName: SCHEMA,
    runMigrations: false,
    useListenNotify: false,
    executorID: settings.executorId,
    applicationVersion: VERSION,
    logger: toEngineLogger(settings.log),
    enableOTLP: false,
    tracingEnabled: false,
  });
  await DBOS.launch();
}

function openPool({ url, log }: Settings): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    options: '-c role=farebox_system -c timezone=UTC -c idle_in_transaction_session_timeout=60s',
    connectionTimeoutMillis: 10_000,
    application_name: 'farebox_durable',
  });
  return surviveBroken(pool, (err) => log.warn({ err }, 'a connection of durable work was lost'));
}

type ScheduledWorkflow = (scheduledAt: Date, context: unknown) => Promise<void>;

function registerScheduled(job: ScheduledJob): ScheduledWorkflow {
  const run: ScheduledWorkflow = async (scheduledAt) => {
    await DBOS.runStep(
      async () => {
        await job.run(scheduledAt);
      },
      { name: job.name, ...toStepConfig(job) },
    );
  };
  return DBOS.registerWorkflow(run, { name: job.name, maxRecoveryAttempts: MAX_RECOVERIES });
}

function toStepConfig({ retries = 0, retryAfterMs = 5_000 }: ScheduledJob) {
  return retries > 0
    ? { retriesAllowed: true, maxAttempts: retries + 1, intervalSeconds: retryAfterMs / 1000, backoffRate: 2 }
    : {};
}

async function registerQueue({ pollMs }: Settings): Promise<void> {
  await DBOS.registerQueue(SCHEDULED_QUEUE, {
    workerConcurrency: RUNS_AT_ONCE,
    minPollingIntervalMs: pollMs,
    onConflict: 'always_update',
  });
}

/** What the code says is what is scheduled: schedules that an earlier release left are removed. */
async function applySchedules(entries: { job: ScheduledJob; workflow: ScheduledWorkflow }[]): Promise<void> {
  const known = new Set(entries.map(({ job }) => job.name));
  for (const left of await DBOS.listSchedules()) {
    if (!known.has(left.scheduleName)) {
      await DBOS.deleteSchedule(left.scheduleName);
    }
  }
  await DBOS.applySchedules(
    entries.map(({ job, workflow }) => ({
      scheduleName: job.name,
      workflowFn: workflow,
      schedule: job.cron,
      cronTimezone: 'UTC',
      queueName: SCHEDULED_QUEUE,
    })),
  );
}

function ownSweeps(executor: Executor): Sweep[] {
  return [
    { name: 'durable.recover', intervalMs: executor.deadAfterMs / 2, run: () => recoverDead(executor) },
    { name: 'durable.forget', intervalMs: FORGET_EVERY_MS, run: () => forgetFinished(Date.now()) },
  ];
}

function startHeartbeat(executor: Executor, log: Log): NodeJS.Timeout {
  return setInterval(() => {
    reportAlive(executor).catch((error: unknown) => log.warn({ err: error }, 'could not report a sign of life'));
  }, executor.deadAfterMs / 4);
}

async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  const limit = new AbortController();
  await Promise.race([work, wait(limitMs, undefined, { signal: limit.signal }).catch(() => {})]);
  limit.abort();
}
