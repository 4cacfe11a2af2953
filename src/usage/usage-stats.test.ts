import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Tx } from '#database/index.ts';
import { newId } from '#kit/index.ts';
import { makeRecord } from '../../tests/support/call-record.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { closeRollups } from './close-rollups.ts';
import { findTypicalLatency } from './find-typical-latency.ts';
import { getStats, type Stats } from './get-stats.ts';
import { recordCall, type CallRecord } from './record-call.ts';
import { scheduleRollup } from './schedule-rollup.ts';

const database = useTestDatabase();
const now = new Date('2026-11-21T12:00:00.000Z');
const daysAgo = (days: number): Date => new Date(now.getTime() - days * 86_400_000);

async function record(...calls: CallRecord[]): Promise<void> {
  await Promise.all(calls.map((call) => recordCall(database.current.system, call)));
}

/** Counts the log the slow, obvious way. */
function recount(records: readonly CallRecord[]): Stats {
  const counted = records.filter((one) => !one.isTest && one.status !== 'refused' && one.callerUserId !== one.ownerId);
  const recent = counted.filter((one) => one.at >= new Date('2026-10-23T00:00:00.000Z'));
  const count = (among: readonly CallRecord[], status: string): number =>
    among.filter((one) => one.status === status).length;
  const earned = counted.reduce((sum, one) => sum + (one.transaction ? one.amountAtomic : 0n), 0n);
  const lastAt = Math.max(...counted.map((one) => one.at.getTime()));
  return {
    call_count: count(counted, 'success') + count(counted, 'failed'),
    success_count_30d: count(recent, 'success'),
    failure_count_30d: count(recent, 'failed'),
    unpaid_count_30d: count(recent, 'unpaid'),
    total_earned_usdc: (Number(earned) / 1e6).toString(),
    last_called_at: counted.length > 0 ? new Date(lastAt).toISOString() : null,
  };
}

const anyRecord = (resourceIds: readonly string[]): fc.Arbitrary<CallRecord> =>
  fc
    .record({
      resourceId: fc.constantFrom(...resourceIds),
      status: fc.constantFrom('success', 'failed', 'refused', 'unpaid'),
      isTest: fc.boolean(),
      callerUserId: fc.constantFrom(null, 'creator', 'buyer'),
      amountAtomic: fc.bigInt({ min: 0n, max: 5_000_000n }),
      transaction: fc.constantFrom(null, '0xabc'),
      at: fc.integer({ min: 0, max: 60 * 86_400_000 }).map((ms) => new Date(now.getTime() - ms)),
    })
    .map((changes) => makeRecord(changes));

test('statistics equal a naive recount, whatever is written, by whom, in which order, before and after a rollup', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 60 }), fc.nat(), async (size, seed) => {
      const resourceIds = [newId(), newId(), newId()];
      const records = fc.sample(anyRecord(resourceIds), { numRuns: size, seed });
      const rollups = Array.from({ length: 4 }, () => closeRollups(database.current));
      await record(...records, ...records.slice(0, 10));
      await Promise.all(rollups);
      const before = await getStats(database.current.system, resourceIds, now);
      await closeRollups(database.current);
      const after = await getStats(database.current.system, resourceIds, now);
      for (const id of resourceIds) {
        const expected = recount(records.filter((one) => one.resourceId === id));
        expect(before.get(id)).toEqual(expected);
        expect(after.get(id)).toEqual(expected);
      }
    }),
    { numRuns: 40 },
  );
});

test('every snapshot taken while calls are written and rolled up agrees with the log', async () => {
  const resourceId = newId();
  const done = new AbortController();
  const seen = new Set<number>();
  let written = 0;
  const write = async (): Promise<void> => {
    for (let n = 0; n < 60 || seen.size < 10; n += 1) {
      written += 1;
      await record(makeRecord({ resourceId, at: daysAgo(n % 40), status: n % 3 === 0 ? 'failed' : 'success' }));
    }
  };
  const rollUp = async (): Promise<void> => {
    while (!done.signal.aborted) {
      await closeRollups(database.current);
    }
  };
  const check = async (): Promise<void> => {
    while (!done.signal.aborted) {
      const [stats, naive] = await inSnapshot(async (tx) => [
        (await getStats(tx, [resourceId], now)).get(resourceId),
        await recountInSql(tx, resourceId),
      ]);
      expect(stats?.call_count).toBe(naive);
      seen.add(naive);
    }
  };
  const checks = [check(), check(), rollUp()];
  await Promise.all([write(), write(), write()]).finally(() => done.abort());
  await Promise.all(checks);
  expect((await getStats(database.current.system, [resourceId], now)).get(resourceId)?.call_count).toBe(written);
});

async function inSnapshot<T>(run: (tx: Tx) => Promise<T>): Promise<T> {
  return database.current.transaction(async (tx) => {
    await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    return run(tx);
  });
}

async function recountInSql(tx: Tx, resourceId: string): Promise<number> {
  const { rows } = await tx.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM x402_prompt_template_usage_logs WHERE resource_id = $1',
    [resourceId],
  );
  return rows[0]?.n ?? 0;
}

test('a rolled-back transaction leaves neither a log row nor a count', async () => {
  const call = makeRecord();
  const doomed = database.current.transaction(async (tx) => {
    await recordCall(tx, call);
    throw new Error('stop');
  });
  await expect(doomed).rejects.toThrow('stop');
  const stats = await getStats(database.current.system, [call.resourceId], now);
  expect(stats.get(call.resourceId)).toEqual(recount([]));
});

test('the same call recorded twice counts once, before and after a rollup', async () => {
  const call = makeRecord({ at: now });
  await record(call, call, call);
  await closeRollups(database.current);
  await record({ ...call, status: 'failed' });
  const stats = await getStats(database.current.system, [call.resourceId], now);
  expect(stats.get(call.resourceId)).toEqual(recount([call]));
});

test('the 30 days are today and the 29 UTC days before it', async () => {
  const resourceId = newId();
  const at = (text: string): CallRecord => makeRecord({ resourceId, at: new Date(text) });
  await record(at('2026-10-22T23:59:59.999Z'), at('2026-10-23T00:00:00.000Z'), at('2026-11-21T23:59:59.999Z'));
  const stats = (await getStats(database.current.system, [resourceId], now)).get(resourceId);
  expect(stats).toMatchObject({ call_count: 3, success_count_30d: 2 });
});

test('a hostile upstream cannot fail the write', async () => {
  const call = makeRecord({
    evidence: {
      model: `nul\0 ${'x'.repeat(10_000)}`,
      inputTokens: Number.NaN,
      outputTokens: 1e300,
      note: 'lone \ud800 surrogate\0',
      inner: [{ 'nul\0': 1, 'lone \ud800': 2 }],
    },
    attempts: 1e12,
    cause: 'lone \ud800 surrogate',
    latencyMs: -5,
    firstOutputMs: 1.6,
    costUsd: 'NaN',
  });
  await record(call);
  const { rows } = await database.current.system.query(
    'SELECT * FROM x402_prompt_template_usage_logs WHERE call_id = $1',
    [call.callId],
  );
  expect(rows[0]).toMatchObject({ input_tokens: null, latency_ms: null, first_output_ms: '2', cost_usd: null });
});

test('the log cannot be changed or removed, by the server either', async () => {
  const call = makeRecord();
  await record(call);
  const { system } = database.current;
  await expect(system.query(`UPDATE x402_prompt_template_usage_logs SET payer = 'p'`)).rejects.toThrow(
    'permission denied',
  );
  const changed = `UPDATE x402_prompt_template_usage_logs SET status = 'failed', amount_atomic = 1 WHERE call_id = $1`;
  expect((await system.query(changed, [call.callId])).rowCount).toBe(0);
  await expect(system.query('DELETE FROM x402_prompt_template_usage_logs')).rejects.toThrow('permission denied');
});

test.each(['failed', 'unpaid', 'refused'] as const)(
  'a call that was %s and is paid after all counts as the success that it becomes, and with what it earned',
  async (status) => {
    const ended = makeRecord({ status, amountAtomic: 0n, transaction: null });
    const { callId, resourceId } = ended;
    const paid = makeRecord({ callId, resourceId, status: 'success' });
    const count = async () => (await getStats(database.current.system, [resourceId], now)).get(resourceId);
    await record(ended);
    await record({ ...paid, status: 'owed', problem: 'answer_owed', cause: 'paid_by_others' });
    expect(await count()).toMatchObject({ call_count: 0 });
    await record(paid);
    await record(ended);
    expect(await count()).toMatchObject({ call_count: 1, success_count_30d: 1, failure_count_30d: 0 });
  },
);

test('a call that was owed is counted when it ends, and changes no more then', async () => {
  const owed = makeRecord({ status: 'owed', problem: 'answer_owed', cause: 'the process stopped' });
  const { callId, resourceId } = owed;
  const read = async () => {
    const { rows } = await database.current.system.query(
      'SELECT status, problem, cause, model FROM x402_prompt_template_usage_logs WHERE call_id = $1',
      [callId],
    );
    return rows;
  };
  const count = async () => (await getStats(database.current.system, [resourceId], now)).get(resourceId)?.call_count;
  await record(owed);
  expect(await read()).toMatchObject([{ status: 'owed', cause: 'the process stopped' }]);
  expect(await count()).toBe(0);
  await record(makeRecord({ callId, resourceId, evidence: { model: 'toy/late' } }));
  await record(makeRecord({ callId, resourceId, status: 'failed', problem: 'upstream_failed' }));
  expect(await read()).toEqual([{ status: 'success', problem: null, cause: null, model: 'toy/late' }]);
  expect(await count()).toBe(1);
});

test('both rollups are scheduled once a minute, each under its name', async () => {
  const call = makeRecord();
  await record(call);
  const jobs: Parameters<Parameters<typeof scheduleRollup>[0]['schedule']>[0][] = [];
  scheduleRollup({ schedule: (job) => jobs.push(job) }, database.current);
  expect(jobs).toMatchObject([
    { name: 'usage.rollup', cron: '30 * * * * *' },
    { name: 'usage.hours', cron: '45 * * * * *' },
  ]);
  const count = async (table: 'usage_pending' | 'usage_changes') =>
    (await database.current.system.query(`SELECT FROM ${table} WHERE resource_id = $1`, [call.resourceId])).rowCount;
  await jobs[0]?.run(now);
  expect([await count('usage_pending'), await count('usage_changes')]).toEqual([0, 1]);
  await jobs[1]?.run(now);
  expect(await count('usage_changes')).toBe(0);
});

test('how long a call takes is told by calls of others that were answered, not by tests, failures or refusals', async () => {
  const resourceId = newId();
  const took = (latencyMs: number, changes: Partial<CallRecord> = {}): CallRecord =>
    makeRecord({ resourceId, latencyMs, ...changes });
  const find = () => findTypicalLatency(database.current.system, resourceId);
  const later = { at: new Date('2026-11-21T11:30:00.000Z') };
  const others = ['failed', 'refused', 'unpaid'].flatMap((status) =>
    Array.from({ length: 40 }, () => took(1, { status: status as CallRecord['status'], ...later })),
  );
  await record(...others, took(2, { isTest: true }), took(3, { callerUserId: 'creator', isFree: true }));
  expect(await find()).toBeNull();
  await record(took(700), took(800), took(900));
  expect(await find()).toBe(800);
});
