import { Big } from 'big.js';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { newId, scopes, type User } from '#kit/index.ts';
import { makeRecord } from '../../tests/support/call-record.ts';
import { perform as performOn } from '../../tests/support/perform.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { closeHours } from './close-hours.ts';
import { toPercentiles, type Figures } from './figures.ts';
import { getBreakdown, getSeries, getSummary, listProblems } from './index.ts';
import { recordCall, type CallRecord } from './record-call.ts';

const database = useTestDatabase();
const nowMs = Date.parse('2026-11-21T12:30:00.000Z');
const deps = { clock: { now: () => nowMs } };
const from = '2026-11-14T00:00:00.000Z';
const to = '2026-11-21T00:00:00.000Z';
const DAY_MS = 86_400_000;

const toUser = (userId: string): User => ({
  kind: 'user',
  userId,
  username: userId,
  email: `${userId}@example.com`,
  isAdmin: false,
  via: 'session',
  scopes,
});

/** What any of the questions answers. */
interface Told {
  current: Figures;
  before: Figures;
  rangeBefore: { from: string };
  items: (Figures & { at: string; resourceId: string; version: number; model: string })[];
  total: number;
}

const ask = async (
  declared: typeof getSummary | typeof getSeries | typeof getBreakdown | typeof listProblems,
  userId: string,
  input: object,
): Promise<Told> => {
  const place: [typeof deps, User, typeof database.current] = [deps, toUser(userId), database.current];
  const answered: unknown = await performOn(declared as typeof getSummary, place, { from, to, ...input });
  return answered as Told;
};

const addresses = ['a', 'b', 'c'].map((digit) => `0x${digit.repeat(40)}`);
const resources = [newId(), newId()];

const anyRecord = (ownerId: string): fc.Arbitrary<CallRecord> =>
  fc
    .record({
      resourceId: fc.constantFrom(...resources),
      version: fc.integer({ min: 1, max: 2 }),
      status: fc.constantFrom('success', 'failed', 'refused', 'unpaid', 'owed'),
      problem: fc.constantFrom('upstream_failed', 'unavailable'),
      payer: fc.constantFrom(...addresses, null),
      isTest: fc.boolean(),
      callerUserId: fc.constantFrom(null, ownerId),
      amountAtomic: fc.bigInt({ min: 0n, max: 5_000_000n }),
      transaction: fc.constantFrom(null, '0xabc'),
      costUsd: fc.constantFrom(null, '0', '0.000123456789', '1.5'),
      keySource: fc.constantFrom('own', 'platform', null),
      latencyMs: fc.integer({ min: 0, max: 600_000 }),
      at: fc.integer({ min: 0, max: 14 * DAY_MS }).map((ms) => new Date(Date.parse(to) - ms)),
    })
    .map((changes) => {
      const problem = changes.status === 'success' ? null : changes.problem;
      return makeRecord({
        ...changes,
        problem,
        ownerId,
        evidence: { model: changes.version === 1 ? 'm/one' : 'm/two' },
      });
    });

const isCounted =
  ([begin, end]: [string, string]) =>
  ({ isTest, callerUserId, ownerId, at }: CallRecord): boolean =>
    !isTest && callerUserId !== ownerId && at >= new Date(begin) && at < new Date(end);

/** Counts the slow, obvious way. */
function recount(records: readonly CallRecord[], range: [string, string]) {
  const counted = records.filter(isCounted(range));
  const count = (status: string) => counted.filter((one) => one.status === status).length;
  const earned = counted.reduce((sum, one) => sum + (one.transaction ? one.amountAtomic : 0n), 0n);
  const cost = (isPlatform: boolean) =>
    counted
      .filter((one) => (one.keySource === 'platform') === isPlatform)
      .reduce((sum, one) => sum.plus(one.costUsd ?? 0), new Big(0));
  const revenue = new Big(earned.toString()).div(1e6);
  return {
    calls: count('success') + count('failed'),
    successes: count('success'),
    failures: count('failed'),
    unpaid: count('unpaid'),
    refused: count('refused'),
    owed: count('owed'),
    revenueUsdc: revenue.toFixed(),
    costUsd: cost(false).toFixed(),
    platformCostUsd: cost(true).toFixed(),
    marginUsd: revenue.minus(cost(false)).toFixed(),
    unknownCostCalls: counted.filter((one) => one.costUsd === null && one.status !== 'refused').length,
    payers: new Set(
      counted.filter((one) => one.transaction && one.amountAtomic > 0n && one.payer).map((one) => one.payer),
    ).size,
  };
}

const apart = {
  resource: ({ resourceId }: CallRecord) => resourceId,
  version: ({ resourceId, version }: CallRecord) => `${resourceId}/${version}`,
  model: ({ evidence }: CallRecord) => evidence['model'] as string,
};

/** The recount of each row of a breakdown, payers aside. */
function recountApart(records: readonly CallRecord[], by: keyof typeof apart): Map<string, object> {
  const told = records.filter(isCounted([from, to]));
  const keys = new Set(told.map(apart[by]));
  return new Map(
    [...keys].map((key) => {
      const { payers: _, ...sums } = recount(
        told.filter((one) => apart[by](one) === key),
        [from, to],
      );
      return [key, sums];
    }),
  );
}

function toKey({ resourceId, version, model }: Told['items'][number], by: keyof typeof apart): string {
  return by === 'resource' ? resourceId : by === 'version' ? `${resourceId}/${version}` : model;
}

let turn = 0;

test('sums equal a naive recount, whatever is written and corrected, in any partition, before and after it is added up', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 50 }), fc.nat(), async (size, seed) => {
      turn += 1;
      const owner = `owner_${turn}`;
      const records = fc.sample(anyRecord(owner), { numRuns: size, seed });
      const closing = [closeHours(database.current), closeHours(database.current)];
      await Promise.all(records.map((one) => recordCall(database.current.system, one)));
      // What was owed is answered, once the payment is found or the run is done.
      const owed = records.filter(({ status }) => status === 'owed');
      const answered = owed.map((one) => ({
        ...one,
        status: 'success' as const,
        transaction: '0xdef',
        costUsd: null,
        problem: null,
      }));
      await Promise.all(answered.map((one) => recordCall(database.current.system, one)));
      await Promise.all(closing);
      const now = [
        ...records.filter(({ status }) => status !== 'owed'),
        ...answered.map((one, index) => ({ ...one, costUsd: owed[index]?.costUsd ?? null })),
      ];
      for (const _ of ['before', 'after']) {
        const summary = await ask(getSummary, owner, {});
        expect(summary.current).toMatchObject(recount(now, [from, to]));
        expect(summary.before).toMatchObject(recount(now, [summary.rangeBefore.from, from]));
        for (const by of ['resource', 'version', 'model'] as const) {
          const { items } = await ask(getBreakdown, owner, { by });
          const expected = recountApart(now, by);
          expect(items.map((one) => toKey(one, by)).toSorted()).toEqual([...expected.keys()].toSorted());
          for (const one of items) {
            expect(one).toMatchObject(expected.get(toKey(one, by)) ?? {});
          }
        }
        for (const interval of ['hour', 'day'] as const) {
          const { items } = await ask(getSeries, owner, { interval });
          expect(items).toHaveLength(interval === 'hour' ? 168 : 7);
          expect(addUp(items, 'successes')).toBe(summary.current.successes);
          expect(addUp(items, 'costUsd')).toBeCloseTo(Number(summary.current.costUsd), 9);
        }
        await closeHours(database.current);
      }
    }),
    { numRuns: 12 },
  );
});

const addUp = (items: readonly Figures[], name: 'successes' | 'costUsd') =>
  Number(items.reduce((sum, one) => sum.plus(one[name]), new Big(0)));

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
    ['2026-11-20', 2, null],
    ['2026-11-21', 1, null],
  ]);
  for (const timeZone of ['Mars/Olympus', '+02:00', 'CET']) {
    await expect(ask(getSeries, ada, { timeZone })).rejects.toMatchObject({ code: 'invalid_input' });
  }
});

test('payers are listed with what they paid, and one of them can be asked for', async () => {
  const { items, total } = await ask(getBreakdown, ada, { by: 'payer', limit: 1 });
  expect(total).toBe(2);
  expect(items).toMatchObject([
    { payer: addresses[0], calls: 1, revenueUsdc: '0.03', lastCalledAt: '2026-11-20T22:30:00.000Z', latencyMs: null },
  ]);
  const one = await ask(getSummary, ada, { payer: addresses[1]?.toUpperCase().replace('0X', '0x') });
  expect(one.current).toMatchObject({ calls: 2, failures: 1, revenueUsdc: '0.01' });
});

test('problems are counted, with those of the range before', async () => {
  const { items } = await ask(listProblems, ada, { from: '2026-11-18T00:00:00Z' });
  expect(items).toEqual([{ problem: 'upstream_failed', calls: 1, callsBefore: 0 }]);
});

test('nobody sees the figures of another creator', async () => {
  const summary = await ask(getSummary, 'somebody_else', { resourceId: resources[0] });
  expect(summary.current).toMatchObject({ calls: 0, revenueUsdc: '0', latencyMs: null });
});

test.each([
  [{ from: to, to: from }, '/to'],
  [{ from: '2020-01-01T00:00:00Z' }, '/from'],
])('the range %j is refused with the reason', async (range, path) => {
  await expect(ask(getSummary, ada, range)).rejects.toMatchObject({ code: 'invalid_input', fields: [{ path }] });
});

test('what the sums cannot tell apart is refused, not answered wrongly', async () => {
  const payer = addresses[0];
  await expect(ask(getBreakdown, ada, { by: 'version', payer })).rejects.toMatchObject({ fields: [{ path: '/by' }] });
  await expect(ask(getSeries, ada, { interval: 'hour', payer })).rejects.toMatchObject({
    fields: [{ path: '/interval' }],
  });
  await expect(ask(getBreakdown, ada, { by: 'payer', model: 'm/one' })).rejects.toMatchObject({
    fields: [{ path: '/payer' }],
  });
});
