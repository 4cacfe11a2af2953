import pg from 'pg';
import { expect, test } from 'vitest';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { sweepOnce } from './sweep.ts';

const database = useTestDatabase();
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const deps = () => ({ pool: database.current.system, log });

test('of many processes that start one sweep at once, one runs it', async () => {
  const sweep = { name: 'crowd', intervalMs: 60_000, run: async () => {} };
  const results = await Promise.all(Array.from({ length: 20 }, () => sweepOnce(deps(), sweep)));
  expect(results.filter((result) => result === 'ran')).toHaveLength(1);
  expect(results.filter((result) => result === 'not_due')).toHaveLength(19);
});

test('a sweep never overlaps with a run that outlasts the interval, and is free again after a failure', async () => {
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const slow = sweepOnce(deps(), {
    name: 'slow',
    intervalMs: 0,
    run: () => {
      begun.resolve();
      return gate.promise;
    },
  });
  await begun.promise;
  const next = { name: 'slow', intervalMs: 0, run: async () => {} };
  expect(await sweepOnce(deps(), next)).toBe('busy');
  gate.reject(new Error('failed'));
  await expect(slow).rejects.toThrow('failed');
  expect(await sweepOnce(deps(), next)).toBe('ran');
});

test('a lost connection frees a sweep for its next turn and does not end the process', async () => {
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  const lost = sweepOnce(deps(), {
    name: 'lost',
    intervalMs: 0,
    run: () =>
      owner.query(
        `SELECT pg_terminate_backend(pid, 5000) FROM pg_locks
         WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      ),
  });
  expect(await lost).toBe('ran');
  await owner.end();
  expect(await sweepOnce(deps(), { name: 'lost', intervalMs: 0, run: async () => {} })).toBe('ran');
});
