import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import { askDashboards, from, to } from '../../tests/support/ask-dashboards.ts';
import { makeRecord } from '../../tests/support/call-record.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { sumTables } from '../../tests/support/sum-tables.ts';
import { closeHours } from './close-hours.ts';
import { toPercentiles } from './figures.ts';
import { getBreakdown, getSeries, getSummary, listProblems } from './index.ts';
import { recordCall, type CallRecord } from './record-call.ts';

const database = useTestDatabase();
const ask = (declared: Parameters<typeof askDashboards>[0], userId: string, input: object) =>
  askDashboards(declared, [database.current, userId], input);

const addresses = ['a', 'b'].map((digit) => `0x${digit.repeat(40)}`);
const resources = [newId()];

test('percentiles are within 5 % of the exact ones', async () => {
  const bucketOf = async (values: number[]): Promise<number[]> => {
    const { rows } = await database.current.system.query<{ bucket: number }>(
      'SELECT latency_bucket(value) AS bucket FROM unnest($1::bigint[]) WITH ORDINALITY AS one (value, place) ORDER BY place',
      [values],
    );
    return rows.map(({ bucket }) => bucket);
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 3_600_000 }), { minLength: 1, maxLength: 300 }),
      async (values) => {
        const buckets = await bucketOf(values);
        const found = toPercentiles(buckets.map((bucket) => ({ bucket, count: 1 })));
        const sorted = values.toSorted((a, b) => a - b);
        const exact = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
        for (const [name, share] of [
          ['p50', 0.5],
          ['p95', 0.95],
          ['p99', 0.99],
        ] as const) {
          expect(Math.abs((found?.[name] ?? 0) - exact(share))).toBeLessThanOrEqual(exact(share) * 0.05 + 0.5);
        }
      },
    ),
    { numRuns: 40 },
  );
});

const ada = 'dashboard_ada';

beforeAll(async () => {
  const at = (text: string) => new Date(text);
  const calls: Partial<CallRecord>[] = [
    { at: at('2026-11-20T22:30:00Z'), latencyMs: 100, payer: addresses[0] ?? null, amountAtomic: 30_000n },
    { at: at('2026-11-20T23:30:00Z'), latencyMs: 200, payer: addresses[1] ?? null, amountAtomic: 10_000n },
    {
      at: at('2026-11-19T23:30:00Z'),
      status: 'failed',
      problem: 'upstream_failed',
      transaction: null,
      payer: addresses[1] ?? null,
    },
    { at: at('2026-11-10T10:00:00Z'), status: 'failed', problem: 'upstream_timeout', transaction: null },
  ];
  for (const call of calls) {
    await recordCall(database.current.system, makeRecord({ ownerId: ada, resourceId: resources[0] ?? '', ...call }));
  }
});

test('days are those of the time zone that is asked for', async () => {
  const { items } = await ask(getSeries, ada, { timeZone: 'Europe/Vienna' });
  const days = items.filter(({ calls }) => calls > 0).map(({ at, calls, payers }) => [at, calls, payers]);
  expect(days).toEqual([
    ['2026-11-20', 2, 1],
    ['2026-11-21', 1, 1],
  ]);
  for (const timeZone of ['Mars/Olympus', '+02:00', 'CET']) {
    await expect(ask(getSeries, ada, { timeZone })).rejects.toMatchObject({ code: 'invalid_input' });
  }
});

test('payers are listed with what they paid and how long they waited, and one of them can be asked for', async () => {
  const { items, total } = await ask(getBreakdown, ada, { by: 'payer', limit: 1 });
  expect(total).toBe(2);
  expect(items).toMatchObject([
    { payer: addresses[0], calls: 1, revenueUsdc: '0.03', payers: 1, lastCalledAt: '2026-11-20T22:30:00.000Z' },
  ]);
  expect(items[0]?.latencyMs).toEqual({ p50: 102, p95: 102, p99: 102 });
  const one = await ask(getSummary, ada, { payer: addresses[1]?.toUpperCase().replace('0X', '0x') });
  expect(one.current).toMatchObject({ calls: 2, failures: 1, revenueUsdc: '0.01', payers: 1 });
});

test('problems are counted, with those of the range before', async () => {
  const { items } = await ask(listProblems, ada, { from: '2026-11-18T00:00:00Z' });
  expect(items).toEqual([{ problem: 'upstream_failed', calls: 1, callsBefore: 0 }]);
});

test('nobody sees the figures of another creator', async () => {
  const count = (userId: string) =>
    database.current.asUser(userId, async (tx) => {
      const counts: number[] = [];
      for (const table of sumTables) {
        const { rows } = await tx.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
        counts.push(rows[0]?.count ?? 0);
      }
      return counts;
    });
  await closeHours(database.current);
  const mine = await count(ada);
  expect(sumTables.filter((_, index) => mine[index] === 0)).toEqual([]);
  expect(await count('somebody_else')).toEqual(sumTables.map(() => 0));
  const summary = await ask(getSummary, 'somebody_else', { resourceId: resources[0] });
  expect(summary.current).toMatchObject({ calls: 0, revenueUsdc: '0', latencyMs: null });
});

test.each([
  [{ from: to, to: from }, '/to'],
  [{ from: '2020-01-01T00:00:00Z' }, '/from'],
  [{ from: '0000-03-01T00:00:00Z', to: '0000-03-05T00:00:00Z' }, '/from'],
  [{ from: '0001-01-01T00:00:00Z', to: '0001-02-01T00:00:00Z' }, '/from'],
  [{ from: '0000-01-01T00:00:00+14:00', to: '0000-01-02T00:00:00Z' }, '/from'],
  [{ from: '9998-12-01T00:00:00Z', to: '9999-12-31T23:30:00Z' }, '/to'],
  [{ from: '9998-12-31T00:00:00Z', to: '9998-12-31T23:30:00Z' }, '/to'],
])('the range %j is refused with the reason', async (range, path) => {
  await expect(ask(getSummary, ada, range)).rejects.toMatchObject({ code: 'invalid_input', fields: [{ path }] });
});

const payer = addresses[0];

test.each([
  [getSeries, { interval: 'hour', payer }, '/interval'],
  [getSeries, { timeZone: 'Europe/Vienna', payer }, '/timeZone'],
  [getBreakdown, { by: 'payer', model: 'm/one' }, '/model'],
  [getBreakdown, { by: 'resource', version: 1 }, '/version'],
])('what the sums cannot tell apart is refused, with what to ask instead: %o %j', async (declared, input, path) => {
  await expect(ask(declared, ada, input)).rejects.toMatchObject({ code: 'invalid_input', fields: [{ path }] });
});
