import fc from 'fast-check';
import pg from 'pg';
import { expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import { askDashboards, from, to } from '../../tests/support/ask-dashboards.ts';
import { makeRecord } from '../../tests/support/call-record.ts';
import { recountCalls, toFullRange, type Question } from '../../tests/support/recount-calls.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { closeHours } from './close-hours.ts';
import { findFilterFault } from './dashboard-query.ts';
import { noFigures } from './get-summary.ts';
import { getBreakdown, getSeries, getSummary } from './index.ts';
import { recordCall, type CallRecord } from './record-call.ts';

const database = useTestDatabase();
const ask = (declared: Parameters<typeof askDashboards>[0], userId: string, input: object) =>
  askDashboards(declared, [database.current, userId], input);

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

interface Compared {
  found: object;
  /** With matchers. */
  expected: object;
}

/** What is answered, and what the recount says; ranges before as well. */
async function compare(owner: string, records: readonly CallRecord[], question: Question): Promise<Compared> {
  const { by, ...filters } = question;
  const now = recountCalls(records, question);
  const full = toFullRange(question);
  const length = Date.parse(full.to) - Date.parse(full.from);
  const earlier = { ...question, from: new Date(Date.parse(full.from) - length).toISOString(), to: full.from };
  const before = recountCalls(records, earlier);
  if (by === 'all') {
    const expected = { current: now.get('') ?? noFigures, before: before.get('') ?? noFigures };
    return { found: await ask(getSummary, owner, filters), expected };
  }
  if (by === 'hour' || by === 'day') {
    const { items } = await ask(getSeries, owner, { ...filters, interval: by });
    const times = new Set(items.map(({ at }) => at));
    return {
      found: { items, missing: [...now.keys()].filter((at) => !times.has(at)) },
      expected: { items: items.map(({ at }) => now.get(at) ?? noFigures), missing: [] },
    };
  }
  const { items, total } = await ask(getBreakdown, owner, { ...filters, by });
  const keys = items.map(
    ({ resourceId, version, model, payer }) =>
      ({ resource: resourceId, version: `${resourceId}/${version}`, model, payer })[by],
  );
  return {
    found: { total, keys: keys.toSorted(), items },
    expected: {
      total: now.size,
      keys: [...now.keys()].toSorted(),
      items: keys
        .map((key) => ({ ...now.get(key), before: before.get(key) ?? noFigures }))
        .toSorted((a, b) => Number(toRevenue(b)) - Number(toRevenue(a))),
    },
  };
}

const toRevenue = (one: object): unknown => ('revenueUsdc' in one ? one.revenueUsdc : 0);

/** The log's rules let nobody else change it in every way. */
async function correct(one: CallRecord): Promise<void> {
  const admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  await admin.query(
    `UPDATE x402_prompt_template_usage_logs SET status = $2, transaction = $3, cost_usd = $4, model = $5, at = $6 WHERE call_id = $1`,
    [one.callId, one.status, one.transaction, one.costUsd, one.evidence['model'], one.at],
  );
  await admin.end();
}

let turn = 0;

test('sums equal a naive recount at every moment, whatever is written, corrected and asked, in any partition', async () => {
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
      const answers: Compared[] = [];
      for (const one of steps) {
        if (one.kind === 'ask') {
          answers.push(await compare(owner, mine, one.question));
        } else if (one.kind === 'close') {
          await closeHours(database.current, one.batch);
        } else {
          const { kind: _, index, model, ...changes } = one;
          const corrected = { ...mine[index % mine.length], ...changes, evidence: { model } } as (typeof mine)[number];
          mine[index % mine.length] = corrected;
          await correct(corrected);
        }
      }
      expect(answers.map(({ found }) => found)).toMatchObject(answers.map(({ expected }) => expected));
      const closing = closeHours(database.current, 1);
      for (const question of questions) {
        const compared = await compare(owner, mine, question);
        expect(compared.found).toMatchObject(compared.expected);
      }
      await closing;
      for (const question of questions) {
        const compared = await compare(owner, mine, question);
        expect(compared.found).toMatchObject(compared.expected);
      }
    }),
    { numRuns: 25 },
  );
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
      const compared = await compare(owner, now, { by, from, to });
      expect(compared.found).toMatchObject(compared.expected);
    }
    await closeHours(database.current);
  }
});

const taken = {
  'is paid no longer': { transaction: null },
  'is of another hour': { at: new Date('2026-11-20T12:10:00Z') },
  'is of another day': { at: new Date('2026-11-19T12:10:00Z') },
  'is of another model': { evidence: { model: 'm/two' } },
};

test.each(Object.entries(taken))(
  'a wallet whose only paid call %s is counted where it is paid, before and after that is added up',
  async (label, change) => {
    const owner = `owner ${label}`;
    const call = (changes: Partial<CallRecord>) =>
      makeRecord({
        ownerId: owner,
        resourceId: resources[0] ?? '',
        at: new Date('2026-11-20T10:10:00Z'),
        evidence: { model: 'm/one' },
        ...changes,
      });
    // In whole days and in the hours at the ends of a range.
    const onOtherDays = ['2026-11-18T10:10:00Z', '2026-11-19T23:10:00Z', '2026-11-21T00:10:00Z'].map((at, index) =>
      call({ payer: `0x${index}`, at: new Date(at) }),
    );
    const [mine, others] = [
      call({}),
      [call({ payer: '0xother' }), call({ payer: '0xthird', version: 2 }), ...onOtherDays],
    ];
    for (const one of [mine, ...others]) {
      await recordCall(database.current.system, one);
    }
    await closeHours(database.current);
    const corrected = { ...mine, ...change };
    await correct(corrected);
    for (const _ of ['before', 'after']) {
      for (const by of ['all', 'resource', 'version', 'model', 'hour', 'day', 'payer'] as const) {
        const ofCell = { resourceId: resources[0] ?? '', model: 'm/one' };
        for (const filters of [{}, ofCell]) {
          const compared = await compare(owner, [corrected, ...others], { by, from, to, ...filters });
          expect(compared.found).toMatchObject(compared.expected);
        }
      }
      const compared = await compare(owner, [corrected, ...others], { by: 'day', from, to, timeZone: 'Europe/Vienna' });
      expect(compared.found).toMatchObject(compared.expected);
      await closeHours(database.current);
    }
  },
);

test('more wallets than one chunk of a set holds are counted, and each once', async () => {
  const admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  await closeHours(database.current);
  // Half of them pay for one resource and half for the other, some on both days.
  await admin.query(
    `INSERT INTO x402_prompt_template_usage_logs (call_id, resource_id, version_id, version, owner_id, payer, request_id, status,
       amount_atomic, network, transaction, is_test, is_simulated, is_free, at, evidence)
     SELECT gen_random_uuid(), (ARRAY[$1, $2]::uuid[])[1 + n % 2], $1::uuid, 1, 'owner_many', '0x' || n, 'r', 'success',
       10000, 'eip155:84532', '0x1', false, true, false, timestamptz '2026-11-20T10:00:00Z' - day * interval '1 day', '{}'
     FROM generate_series(1, 17000) AS n, generate_series(0, 1) AS day WHERE day = 0 OR n > 16000`,
    resources,
  );
  await admin.end();
  for (const _ of ['before', 'after']) {
    const { current } = await askDashboards(getSummary, [database.current, 'owner_many'], {});
    expect(current).toMatchObject({ calls: 18_000, payers: 17_000 });
    const { items } = await askDashboards(getBreakdown, [database.current, 'owner_many'], { by: 'resource' });
    expect(items.map(({ payers }) => payers)).toEqual([8500, 8500]);
    await closeHours(database.current);
  }
}, 120_000);
