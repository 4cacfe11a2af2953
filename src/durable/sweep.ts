import type pg from 'pg';
import type { Log } from '#kit/index.ts';
import type { Sweep } from './job.ts';

interface SweepDeps {
  pool: pg.Pool;
  log: Log;
}

/** A timer fires a little early or late; asking for the whole interval would skip every second turn. */
const SLACK = 0.8;

const CLAIM = `
  INSERT INTO durable_sweeps (name, started_at) VALUES ($1, clock_timestamp())
  ON CONFLICT (name) DO UPDATE SET started_at = excluded.started_at
    WHERE durable_sweeps.started_at <= excluded.started_at - $2 * interval '1 millisecond'
  RETURNING name`;

/**
 * Runs the sweep if its turn has come and no process is still running it.
 * The session lock goes with the connection, so a killed process blocks nobody.
 * @internal for its test, which makes turns by hand.
 */
export async function sweepOnce(deps: SweepDeps, sweep: Sweep): Promise<'ran' | 'not_due' | 'busy'> {
  const claimed = await deps.pool.query(CLAIM, [sweep.name, sweep.intervalMs * SLACK]);
  if (claimed.rowCount === 0) {
    return 'not_due';
  }
  const client = await deps.pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);
  try {
    const lock = [`farebox.sweep.${sweep.name}`];
    const { rows } = await client.query('SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked', lock);
    if (rows[0]?.locked !== true) {
      return 'busy';
    }
    try {
      await sweep.run();
    } finally {
      await client.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', lock).catch(onError);
    }
    return 'ran';
  } finally {
    client.removeListener('error', onError);
    client.release(broken);
  }
}

/** Repeats the sweep until stopped; a failure is logged and the next turn comes as usual. */
export function startSweep(deps: SweepDeps, sweep: Sweep): { stop(): Promise<void> } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const turn = async (): Promise<void> => {
    try {
      await sweepOnce(deps, sweep);
    } catch (error) {
      deps.log.error({ err: error, sweep: sweep.name }, 'a sweep failed');
    }
    plan(sweep.intervalMs);
  };
  const plan = (delayMs: number): void => {
    if (!stopped) {
      timer = setTimeout(() => {
        running = turn();
      }, delayMs);
    }
  };
  plan(0);
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      return running;
    },
  };
}
