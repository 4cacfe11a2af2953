import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { useTestDatabase } from './support/test-database.ts';
import { openDurable, type Durable } from '#durable/index.ts';

const database = useTestDatabase();
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const patience = { timeout: 20_000, interval: 50 };
const children: ChildProcess[] = [];
let owner: pg.Pool;

beforeAll(async () => {
  owner = new pg.Pool({ connectionString: database.url, max: 2 });
  await owner.query('CREATE TABLE probe (what text, executor text, at timestamptz DEFAULT clock_timestamp())');
});
beforeEach(async () => {
  await owner.query('TRUNCATE probe');
});
afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => stopChild(child)));
});
afterAll(() => owner.end());

async function startChild(executorId: string, more: { hang?: boolean } = {}): Promise<ChildProcess> {
  const orders = { url: database.url, executorId, deadAfterMs: 1_000, ...more };
  const child = fork(join(import.meta.dirname, 'support/durable-child.ts'), [JSON.stringify(orders)]);
  children.push(child);
  expect(await once(child, 'message')).toEqual(['ready', undefined]);
  return child;
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit');
    child.send('stop');
    await gone;
  }
}

async function noted(pattern: string): Promise<{ what: string; executor: string }[]> {
  const { rows } = await owner.query('SELECT what, executor FROM probe WHERE what LIKE $1 ORDER BY at', [pattern]);
  return rows;
}

test('two processes start at once on a fresh database and run each tick once', async () => {
  await owner.query('DROP SCHEMA IF EXISTS durable CASCADE');
  await Promise.all([startChild('a'), startChild('b')]);
  await vi.waitFor(async () => expect((await noted('tick%')).length).toBeGreaterThanOrEqual(3), patience);
  const ticks = (await noted('tick%')).map((row) => row.what);
  expect(new Set(ticks).size).toBe(ticks.length);
  await vi.waitFor(async () => expect((await noted('sweep')).length).toBeGreaterThan(3), patience);
});

/** The first slow run that a process has begun: its name, without "begins". */
async function firstSlowRun(executor: string): Promise<string> {
  const begun = async () => (await noted('slow % begins')).filter((row) => row.executor === executor);
  await vi.waitFor(async () => expect((await begun()).length).toBeGreaterThan(0), patience);
  return (await begun())[0]?.what.replace(/ begins$/, '') ?? '';
}

test('the run of a killed process is begun again and finished by a living one', async () => {
  const doomed = await startChild('doomed', { hang: true });
  const run = await firstSlowRun('doomed');
  doomed.kill('SIGKILL');
  await once(doomed, 'exit');
  await startChild('survivor');
  await vi.waitFor(async () => expect(await noted(`${run} ends`)).toHaveLength(1), patience);
  expect((await noted(`${run}%`)).map((row) => `${row.executor}: ${row.what}`)).toEqual([
    `doomed: ${run} begins`,
    `survivor: ${run} begins`,
    `survivor: ${run} ends`,
  ]);
});

test('a living process keeps its run for as long as it takes', async () => {
  const slow = await startChild('slow', { hang: true });
  const run = await firstSlowRun('slow');
  const before = (await noted('tick%')).length;
  await startChild('other');
  await vi.waitFor(async () => expect((await noted('tick%')).length).toBeGreaterThan(before + 2), patience);
  expect(await noted(`${run} begins`)).toHaveLength(1);
  slow.kill('SIGKILL');
  await once(slow, 'exit');
  await vi.waitFor(async () => expect(await noted(`${run} ends`)).toHaveLength(1), patience);
});

test('stop waits for runs under way and signs off', async () => {
  const child = await startChild('polite');
  await firstSlowRun('polite');
  await stopChild(child);
  const names = async (word: string) =>
    (await noted(`slow % ${word}`)).map((row) => row.what.replace(/ \w+$/, '')).sort();
  expect(await names('ends')).toEqual(await names('begins'));
  const { rows } = await owner.query(`SELECT id FROM durable_executors WHERE id = 'polite'`);
  expect(rows).toEqual([]);
});

async function inThisProcess(register: (durable: Durable) => void, run: (durable: Durable) => Promise<void>) {
  const durable = openDurable({ url: database.url, log: silent, name: 'farebox', stopWithinMs: 200, pollMs: 50 });
  register(durable);
  await durable.start();
  try {
    await run(durable);
  } finally {
    await durable.stop();
  }
}

async function statusesOf(name: string): Promise<string[]> {
  const { rows } = await owner.query('SELECT status FROM durable.workflow_status WHERE name = $1 ORDER BY created_at', [
    name,
  ]);
  return rows.map((row) => row.status);
}

test('a scheduled run is retried as often as told, then it counts as failed', async () => {
  const runs = new Map<number, number>();
  await inThisProcess(
    (durable) =>
      durable.schedule({
        name: 'test.flaky',
        cron: '* * * * * *',
        retries: 2,
        retryAfterMs: 1,
        run: async (scheduledAt) => {
          runs.set(scheduledAt.getTime(), (runs.get(scheduledAt.getTime()) ?? 0) + 1);
          throw new Error('no');
        },
      }),
    () => vi.waitFor(async () => expect((await statusesOf('test.flaky'))[0]).toBe('ERROR'), patience),
  );
  expect(runs.values().next().value).toBe(3);
});

test('stop gives up on a run that outlasts its limit, and leaves it to others', async () => {
  let begun = false;
  await inThisProcess(
    (durable) =>
      durable.schedule({
        name: 'test.endless',
        cron: '* * * * * *',
        run: () => {
          begun = true;
          return new Promise(() => {});
        },
      }),
    () => vi.waitFor(() => expect(begun).toBe(true), patience),
  );
  expect((await statusesOf('test.endless'))[0]).toBe('PENDING');
});

test('a failing sweep is logged and comes again; schedules that left the code are removed', async () => {
  let turns = 0;
  await inThisProcess(
    (durable) => {
      durable.schedule({ name: 'test.gone', cron: '0 0 3 * * *', run: async () => {} });
      durable.every({
        name: 'test.failing',
        intervalMs: 20,
        run: () => {
          turns += 1;
          return Promise.reject(new Error('no'));
        },
      });
    },
    async () => {
      await vi.waitFor(() => expect(turns).toBeGreaterThan(2), patience);
    },
  );
  await inThisProcess(
    (durable) => durable.schedule({ name: 'test.stays', cron: '0 0 3 * * *', run: async () => {} }),
    async () => {
      const { rows } = await owner.query('SELECT schedule_name, cron_timezone FROM durable.workflow_schedules');
      expect(rows).toEqual([{ schedule_name: 'test.stays', cron_timezone: 'UTC' }]);
    },
  );
});

test('the tables of durable work belong to the owner and are closed to users', async () => {
  await inThisProcess(
    () => {},
    async () => {
      const { rows } = await owner.query(`SELECT DISTINCT pg_catalog.pg_get_userbyid(relowner) = current_user AS owned,
        has_table_privilege('farebox_app', oid, 'SELECT') AS leaks
        FROM pg_class WHERE relnamespace = 'durable'::regnamespace AND relkind = 'r'`);
      expect(rows).toEqual([{ owned: true, leaks: false }]);
    },
  );
});

test('durable work refuses jobs that would be lost: two of one name, and any after the start', async () => {
  const job = { name: 'test.twice', cron: '* * * * *', run: async () => {} };
  await inThisProcess(
    (durable) => {
      durable.schedule(job);
      expect(() => durable.schedule(job)).toThrow('Two jobs are called test.twice.');
    },
    async (durable) => {
      expect(() => durable.every({ name: 'test.late', intervalMs: 1, run: async () => {} })).toThrow('before start');
    },
  );
});
