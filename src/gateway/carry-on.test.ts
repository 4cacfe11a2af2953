import { beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { newId, systemClock } from '#kit/index.ts';
import { jsonAnswer, noEvidence, type Failure, type Outcome, type ResourceKind } from '#resources/index.ts';
import { makeRecord } from '../../tests/support/call-record.ts';
import { publishedVersion } from '../../tests/support/execution-deps.ts';
import { insertCall } from '../../tests/support/insert-call.ts';
import { makeAccount, makeOffer, pay, schemeList } from '../../tests/support/pay.ts';
import { quietLog } from '../../tests/support/test-chain.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { carryOnOwed, rerunOwed } from './carry-on.ts';
import type { GatewayDeps } from './gateway-deps.ts';

/* How often a paid call is run again whose runs fail, and what its buyer reads in the end. */
const database = useTestDatabase();
const offer = makeOffer();
let outcome: Outcome;
let runs = 0;

beforeEach(async () => {
  runs = 0;
  await database.current.system.query('DELETE FROM calls');
  await database.current.system.query('DELETE FROM trust_limits');
});

const kind = {
  name: 'openrouter_instant',
  answerSchema: z.object({}),
  answerExample: {},
  evidenceSchema: { safeParse: () => ({ success: true, data: {} }) },
  quoteCost: async () => ({ typicalUsd: '0.01', worstUsd: '0.05', basis: 'as told' }),
  run: async () => {
    runs += 1;
    return outcome;
  },
} as unknown as ResourceKind;

const deps = {
  kinds: new Map([[kind.name, kind]]),
  inFlight: new Map(),
  longRuns: new Map(),
  reruns: new Set(),
  clock: systemClock,
  log: quietLog,
  payments: schemeList,
  processId: newId(),
  published: { findVersion: async () => publishedVersion() },
  publicUrl: 'https://farebox.test',
  get database() {
    return database.current;
  },
} as unknown as GatewayDeps;

const fails = (costUsd: string | null, problem: Failure['problem'] = 'upstream_failed'): Failure => ({
  ok: false,
  problem,
  cause: 'toy_failed: as told',
  evidence: { ...noEvidence, costUsd },
});

/** A paid call of which the first run has failed, and whose next one is due. */
async function makeOwed(paidSecondsAgo = 0): Promise<string> {
  const callId = await insertCall(database.current, { state: 'owed', payment: await pay(makeAccount(), offer), offer });
  const record = { ...makeRecord({ callId, status: 'success' }), amountAtomic: '10000' };
  await database.current.system.query(
    `UPDATE calls SET runs = 1, input = '{}', answer = NULL, record = $2, settled_at = now() - $3 * interval '1 second'
     WHERE id = $1`,
    [callId, JSON.stringify({ record, receipt: {}, timeoutSeconds: 60, settlementPoint: 'upfront' }), paidSecondsAgo],
  );
  await letTimePass();
  return callId;
}

const letTimePass = () =>
  database.current.system.query(`UPDATE calls SET updated_at = now() - interval '2 hours' WHERE state = 'owed'`);

/** The buyer comes back, each time when the next run is due. */
async function comeBack(callId: string, times: number) {
  const answers = [];
  for (let turn = 0; turn < times; turn += 1) {
    const rerun = await rerunOwed(deps, callId);
    answers.push('outcome' in rerun ? { ...rerun, outcome: await rerun.outcome } : rerun);
    await letTimePass();
  }
  return answers;
}

async function readLost(callId: string): Promise<string | null | undefined> {
  const { rows } = await database.current.system.query<{ lost: string | null }>(
    'SELECT trim_scale(trust_usd)::text AS lost FROM calls WHERE id = $1',
    [callId],
  );
  return rows[0]?.lost;
}

const final = (code: string, why: string) => ({
  outcome: {
    kind: 'problem',
    charged: true,
    problem: { code, message: expect.stringContaining(why), next: expect.stringMatching(/refund.*transaction/) },
  },
});

test('a paid call whose runs fail at a cost is run 6 times; then its buyer reads whom to ask for a refund', async () => {
  const callId = await makeOwed();
  outcome = fails('0.05');
  const answers = await comeBack(callId, 8);
  expect(runs).toBe(5);
  expect(answers.slice(0, 4)).toMatchObject(
    Array.from({ length: 4 }, () => ({ outcome: { problem: { code: 'answer_owed' } } })),
  );
  expect(answers.slice(4)).toMatchObject(Array.from({ length: 4 }, () => final('gone', '(transaction 0x1)')));
  expect(await readLost(callId)).toBe('0.25');
});

test.each(['content_refused', 'unprocessable'] as const)(
  'a paid call that ends as %s is not run again, and its buyer reads so at once',
  async (problem) => {
    const callId = await makeOwed();
    outcome = fails('0.05', problem);
    const answers = await comeBack(callId, 3);
    expect(runs).toBe(1);
    expect(answers).toMatchObject(Array.from({ length: 3 }, () => final(problem, 'cannot be produced')));
    expect(await carryOnOwed(deps)).toBe(0);
  },
);

test('a paid call goes on while its upstream refuses it at no cost, and is answered when that is over', async () => {
  const callId = await makeOwed(90_000);
  outcome = fails('0');
  expect(await comeBack(callId, 9)).toMatchObject(
    Array.from({ length: 9 }, () => ({ outcome: { problem: { code: 'answer_owed' } } })),
  );
  expect(await readLost(callId)).toBeNull();
  outcome = { ok: true, answer: jsonAnswer({ response: 'whole' }), evidence: noEvidence };
  expect(await comeBack(callId, 1)).toMatchObject([{ kind: 'run', outcome: { kind: 'answer' } }]);
});

test('runs that nobody pays for wait while the creator has lost as much as may be lost in a day', async () => {
  await database.current.system.query(`INSERT INTO trust_limits (owner_id, max_usd_per_day) VALUES ('o', 0.2)`);
  const callIds = await Promise.all(Array.from({ length: 3 }, () => makeOwed()));
  outcome = fails(null);
  const first = await Promise.all(callIds.map((callId) => rerunOwed(deps, callId)));
  await Promise.all(first.map(async (rerun) => ('outcome' in rerun ? rerun.outcome : null)));
  expect(first).toMatchObject(Array.from({ length: 3 }, () => ({ kind: 'run' })));
  await letTimePass();
  const second = await Promise.all(callIds.map((callId) => rerunOwed(deps, callId)));
  expect(second.filter((rerun) => rerun.kind === 'run').length).toBeLessThanOrEqual(1);
  expect(second.filter((rerun) => rerun.kind === 'wait' && rerun.retryAfterSeconds === 3600).length).toBeGreaterThan(1);
  const { rows } = await database.current.system.query('SELECT sum(trust_usd)::float8 AS lost FROM calls');
  expect(rows[0]?.lost).toBeLessThanOrEqual(0.2);
});

test('what a run was counted with is given back when it brings the answer', async () => {
  const callId = await makeOwed();
  outcome = fails('0.02');
  await comeBack(callId, 1);
  outcome = { ok: true, answer: jsonAnswer({ response: 'whole' }), evidence: noEvidence };
  expect(await comeBack(callId, 1)).toMatchObject([{ outcome: { kind: 'answer' } }]);
  expect(await readLost(callId)).toBe('0.02');
});

test('a paid call whose further runs have cost something ends a day after its payment', async () => {
  const callId = await makeOwed(90_000);
  outcome = fails('0.01');
  expect(await comeBack(callId, 2)).toMatchObject([final('gone', 'every run'), final('gone', 'every run')]);
  expect(runs).toBe(1);
});
