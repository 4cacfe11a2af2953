import fc from 'fast-check';
import pg from 'pg';
import { beforeAll, expect, test } from 'vitest';
import { newId, scopes, type User } from '#kit/index.ts';
import { makeRecord } from '../../tests/support/call-record.ts';
import { perform as performOn } from '../../tests/support/perform.ts';
import { recountCalls, toFullRange, type Question } from '../../tests/support/recount-calls.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { closeHours } from './close-hours.ts';
import { findFilterFault } from './dashboard-query.ts';
import { toPercentiles, type Figures } from './figures.ts';
import { noFigures } from './get-summary.ts';
import { getBreakdown, getSeries, getSummary, listProblems } from './index.ts';
import { recordCall, type CallRecord } from './record-call.ts';

const database = useTestDatabase();
const nowMs = Date.parse('2026-11-21T12:30:00.000Z');
const deps = { clock: { now: () => nowMs } };
const from = '2026-11-14T00:00:00.000Z';
const to = '2026-11-21T00:00:00.000Z';

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
  items: (Figures & {
    at: string;
    resourceId: string;
    version: number;
    model: string;
    payer: string;
    lastCalledAt: string;
    before: Figures;
  })[];
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

const addresses = ['a', 'b', 'c', 'd'].map((digit) => `0x${digit.repeat(40)}`);
const resources = [newId(), newId()];
const models = ['m/one', 'm/two'];
const zones = ['UTC', 'Europe/Vienna', 'Asia/Kolkata', 'America/Los_Angeles'];

/** Of calls: what a correction may change. */
const changeable = {
  status: fc.constantFrom(
    'success' as const,
    'failed' as const,
    'refused' as const,
    'unpaid' as const,
    'owed' as const,
  ),
  transaction: fc.constantFrom(null, '0xabc'),
  costUsd: fc.constantFrom(null, '0', '0.000123456789', '1.5'),
  model: fc.constantFrom(...models),
  // Few hours, so that wallets share cells, and edges of days.
  at: fc
    .tuple(
      fc.constantFrom(0, 1, 2, 5, 6, 23, 24, 40, 47, 48, 100, 168, 170, 200),
      fc.integer({ min: 1, max: 3_600_000 }),
    )
    .map(([hours, ms]) => new Date(Date.parse(to) - hours * 3_600_000 - ms)),
};

const anyRecord = (ownerId: string): fc.Arbitrary<CallRecord> =>
  fc
    .record({
      ...changeable,
      resourceId: fc.constantFrom(...resources),
      version: fc.integer({ min: 1, max: 2 }),
      payer: fc.constantFrom(...addresses, null),
      isTest: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
      callerUserId: fc.constantFrom(null, null, null, ownerId),
      amountAtomic: fc.bigInt({ min: 0n, max: 5_000_000n }),
      keySource: fc.constantFrom('own', 'platform', null),
      latencyMs: fc.option(fc.integer({ min: 0, max: 600_000 })),
      firstOutputMs: fc.option(fc.integer({ min: 0, max: 600_000 })),
    })
    .map(({ model, ...changes }) => makeRecord({ ...changes, ownerId, evidence: { model } }));

const anyQuestion: fc.Arbitrary<Question> = fc
  .record(
    {
      by: fc.constantFrom('all', 'resource', 'version', 'model', 'payer', 'hour', 'day'),
      from: fc
        .integer({ min: 30, max: 220 })
        .map((hours) => new Date(Date.parse(to) - hours * 3_600_000).toISOString()),
      to: fc.integer({ min: 0, max: 29 }).map((hours) => new Date(Date.parse(to) - hours * 3_600_000).toISOString()),
      timeZone: fc.constantFrom(...zones),
      resourceId: fc.constantFrom(...resources),
      version: fc.integer({ min: 1, max: 2 }),
      model: fc.constantFrom(...models),
      payer: fc.constantFrom(...addresses),
    },
    { requiredKeys: ['by', 'from', 'to'] },
  )
  .map(({ timeZone, ...one }) => (one.by === 'day' ? { ...one, timeZone: timeZone ?? 'UTC' } : one))
  .filter((one) => findFilterFault(one) === null);

/** Asks, and compares with the recount; ranges before as well. */
async function check(owner: string, records: readonly CallRecord[], question: Question): Promise<void> {
  const { by, ...filters } = question;
  const expected = recountCalls(records, question);
  const full = toFullRange(question);
  const length = Date.parse(full.to) - Date.parse(full.from);
  const earlier = { ...question, from: new Date(Date.parse(full.from) - length).toISOString(), to: full.from };
  const before = recountCalls(records, earlier);
  if (by === 'all') {
    const told = await ask(getSummary, owner, filters);
    expect(told.current).toMatchObject(expected.get('') ?? noFigures);
    expect(told.before).toMatchObject(before.get('') ?? noFigures);
  } else if (by === 'hour' || by === 'day') {
    const { items } = await ask(getSeries, owner, { ...filters, interval: by });
    const times = items.map(({ at }) => at);
    expect([...expected.keys()].filter((at) => !times.includes(at))).toEqual([]);
    for (const one of items) {
      expect(one).toMatchObject(expected.get(one.at) ?? noFigures);
    }
  } else {
    const { items, total } = await ask(getBreakdown, owner, { ...filters, by });
    const toName = ({ resourceId, version, model, payer }: Told['items'][number]) =>
      ({ resource: resourceId, version: `${resourceId}/${version}`, model, payer })[by];
    expect([total, items.map(toName).toSorted()]).toEqual([expected.size, [...expected.keys()].toSorted()]);
    for (const one of items) {
      expect(one).toMatchObject(expected.get(toName(one)) ?? {});
      expect(one.before).toMatchObject(before.get(toName(one)) ?? noFigures);
    }
    expect(items).toEqual(items.toSorted((a, b) => Number(b.revenueUsdc) - Number(a.revenueUsdc)));
  }
}

let turn = 0;

test('sums equal a naive recount at every moment, whatever is written, corrected and asked, in any partition', async () => {
  // The log's rules let nobody else change it in every way.
  const admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  const correct = async (one: CallRecord) =>
    admin.query(
      `UPDATE x402_prompt_template_usage_logs SET status = $2, transaction = $3, cost_usd = $4, model = $5, at = $6 WHERE call_id = $1`,
      [one.callId, one.status, one.transaction, one.costUsd, one.evidence['model'], one.at],
    );
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('correct' as const), index: fc.nat(), ...changeable }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), batch: fc.constantFrom(1, 3, 1000) }) },
    { weight: 2, arbitrary: anyQuestion.map((question) => ({ kind: 'ask' as const, question })) },
  );
  const written = fc.array(anyRecord('owner'), { minLength: 1, maxLength: 30 });
  const asked = fc.array(anyQuestion, { minLength: 8, maxLength: 8 });
  const run = fc.tuple(written, written, fc.array(step, { maxLength: 25 }), asked);
  await fc.assert(
    fc.asyncProperty(run, async ([first, second, steps, questions]) => {
      turn += 1;
      const owner = `owner_${turn}`;
      const mine = [...first, ...second].map((one) => ({
        ...one,
        callId: newId(),
        ownerId: owner,
        callerUserId: one.callerUserId && owner,
      }));
      const write = (some: readonly CallRecord[]) =>
        Promise.all(some.map((one) => recordCall(database.current.system, one)));
      await write(mine.slice(0, first.length));
      await Promise.all([
        closeHours(database.current, 5),
        write(mine.slice(first.length)),
        closeHours(database.current),
      ]);
      for (const one of steps) {
        if (one.kind === 'ask') {
          await check(owner, mine, one.question);
        } else if (one.kind === 'close') {
          await closeHours(database.current, one.batch);
        } else {
          const { kind: _, index, model, ...changes } = one;
          const corrected = { ...mine[index % mine.length], ...changes, evidence: { model } } as (typeof mine)[number];
          mine[index % mine.length] = corrected;
          await correct(corrected);
        }
      }
      const closing = closeHours(database.current, 1);
      for (const question of questions) {
        await check(owner, mine, question);
      }
      await closing;
      for (const question of questions) {
        await check(owner, mine, question);
      }
    }),
    { numRuns: 25 },
  );
  await admin.end();
}, 120_000);

test('what was owed is answered, and counted once', async () => {
  const owner = 'owner_owed';
  const owed = makeRecord({
    ownerId: owner,
    status: 'owed',
    problem: 'settlement_pending',
    at: new Date('2026-11-20T22:59:00Z'),
  });
  await recordCall(database.current.system, owed);
  await closeHours(database.current);
  const answered = {
    ...owed,
    status: 'success' as const,
    problem: null,
    costUsd: null,
    at: new Date('2026-11-20T23:01:00Z'),
  };
  await recordCall(database.current.system, answered);
  const now = [{ ...answered, costUsd: owed.costUsd }];
  for (const _ of ['before', 'after']) {
    for (const by of ['all', 'hour', 'model', 'payer'] as const) {
      await check(owner, now, { by, from, to });
    }
    await closeHours(database.current);
  }
});

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
  const summary = await ask(getSummary, 'somebody_else', { resourceId: resources[0] });
  expect(summary.current).toMatchObject({ calls: 0, revenueUsdc: '0', latencyMs: null });
});

test.each([
  [{ from: to, to: from }, '/to'],
  [{ from: '2020-01-01T00:00:00Z' }, '/from'],
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
